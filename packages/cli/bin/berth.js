#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// A checkout has sources, which run as they are, with a condition that only a new program can be given. A package has none.
const source = fileURLToPath(new URL('../src/main.ts', import.meta.url));
if (existsSync(source)) {
  const argv = [process.execPath, '--conditions=source', source, ...process.argv.slice(2)];
  if (process.execve === undefined) {
    console.error(`berth: Node.js ${process.versions.node} is too old.\nNext: run it as "npx berth" in the checkout, or with Node.js 24 or newer.`);
    process.exitCode = 1;
  } else process.execve(process.execPath, argv, process.env);
} else {
  await import('../dist/main.js');
}

#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// In a checkout there is no build: then the sources run, which takes a condition that only a new program can be given.
const built = fileURLToPath(new URL('../dist/main.js', import.meta.url));
if (existsSync(built)) await import(built);
else {
  const source = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  process.execve(process.execPath, [process.execPath, '--conditions=source', source, ...process.argv.slice(2)], process.env);
}

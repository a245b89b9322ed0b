#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Most of a short command's time is loading: what was compiled once stays, in a folder that only this user writes. This file is not
// of TypeScript, so that of a checkout even the compiler stays away, which takes longest.
module.enableCompileCache?.(
  process.env['NODE_COMPILE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'berth'),
);

if (existsSync(fileURLToPath(new URL('../src/main.ts', import.meta.url)))) {
  // A checkout has sources, which run as they are. A package has none.
  if (module.registerHooks === undefined) {
    console.error(`berth: Node.js ${process.versions.node} is too old.\nNext: run it as "npx berth" in the checkout, or with Node.js 24 or newer.`);
    process.exitCode = 1;
  } else {
    module.registerHooks({
      resolve: (specifier, context, next) => next(specifier, { ...context, conditions: [...context.conditions, 'source'] }),
    });
    await import('../src/main.ts');
  }
} else {
  await import('../dist/main.js');
}

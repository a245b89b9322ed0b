/**
 * `npm run docs [-- --check]`: writes `docs/reference/` from the settings table, the error catalogue and the operations.
 * `--check` writes nothing and fails when a page is out of date.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { referencePages } from './reference/pages.ts';
import { root } from './workspace.ts';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const folder = join(root, 'docs/reference');
mkdirSync(folder, { recursive: true });
const pages = referencePages();
const stale = [...pages].filter(
  ([name, text]) => !existsSync(join(folder, name)) || readFileSync(join(folder, name), 'utf8') !== text,
);
const superfluous = readdirSync(folder).filter((name) => !pages.has(name));
const changes = [...stale.map(([name]) => name), ...superfluous];
if (values.check) {
  for (const name of changes) console.error(`docs/reference/${name} is out of date: run \`npm run docs\``);
  if (changes.length > 0) process.exitCode = 1;
} else {
  for (const [name, text] of stale) writeFileSync(join(folder, name), text);
  for (const name of superfluous) rmSync(join(folder, name));
  console.log(changes.length === 0 ? 'docs/reference is up to date' : `wrote ${changes.join(', ')}`);
}

/**
 * `npm run release -- [--dry-run]`: gathers the fragments of `changes/` into CHANGELOG.md under the version of
 * package.json, and deletes them. Refuses when one of them is malformed. `--check` only judges them.
 */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Fragment, changelogSection, parseFragment } from './fragments.ts';
import { root } from './workspace.ts';

const { values } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: false }, check: { type: 'boolean', default: false } },
});
const folder = join(root, 'changes');
const names = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'TEMPLATE.md');
const fragments: Fragment[] = [];
const problems: string[] = [];
for (const name of names.toSorted()) {
  try {
    fragments.push(parseFragment(name, readFileSync(join(folder, name), 'utf8')));
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
}
if (problems.length > 0) {
  console.error(`release refused:\n  ${problems.join('\n  ')}`);
  process.exitCode = 1;
} else if (values.check) {
  console.log(`${fragments.length} fragments are well-formed`);
} else if (fragments.length === 0) {
  console.error('release refused: changes/ holds no fragment, so there is nothing to tell');
  process.exitCode = 1;
} else {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const section = changelogSection(version, new Date(), fragments);
  if (values['dry-run']) console.log(section);
  else publish(section);
}

function publish(section: string): void {
  const path = join(root, 'CHANGELOG.md');
  const [title = '', ...older] = readFileSync(path, 'utf8').split(/^(?=## )/m);
  writeFileSync(path, [title, `${section}\n`, ...older].join(''));
  for (const name of names) rmSync(join(folder, name));
  console.log(`${names.length} fragments moved into CHANGELOG.md; commit, then tag`);
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandError } from '../command-error.ts';
import { type FolderMatches, type IgnoreRules, noIgnoreFile, parseIgnoreFile } from './ignore-rules.ts';

/**
 * What moby/patternmatcher 0.6.1 and the walker of BuildKit (tonistiigi/fsutil) made of random `.dockerignore` files over one
 * tree: a bit for each path, with one before the first, in hexadecimal; null where they refuse the file.
 */
const known = JSON.parse(readFileSync(new URL('known-contexts.json', import.meta.url), 'utf8')) as {
  readonly paths: readonly string[];
  readonly cases: readonly (readonly [string, string | null])[];
};

/** As walkFolder goes: into what is not left out, or may hold something that is not, and with the parents of what is found. */
function takenOf(rules: IgnoreRules): ReadonlySet<string> {
  const taken = new Set<string>();
  const matches = new Map<string, FolderMatches>([['', []]]);
  for (const path of known.paths) {
    const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    const above = matches.get(parent);
    if (above === undefined) continue;
    const match = rules.match(path, above);
    if (!match.isIgnored || rules.mayBringBack(path)) matches.set(path, match.matches);
    if (match.isIgnored) continue;
    for (let each = path; each !== ''; each = each.includes('/') ? each.slice(0, each.lastIndexOf('/')) : '') taken.add(each);
  }
  return taken;
}

test('leaves out of a tree what BuildKit leaves out, for random files', () => {
  for (const [text, bits] of known.cases) {
    if (bits === null) {
      assert.throws(() => parseIgnoreFile(text, 'file'), CommandError, JSON.stringify(text));
      continue;
    }
    const flags = BigInt(`0x${bits}`).toString(2).slice(1);
    const expected = known.paths.filter((_, index) => flags[index] === '1');
    const taken = takenOf(parseIgnoreFile(text, 'file'));
    assert.deepEqual(
      known.paths.filter((path) => taken.has(path)),
      expected,
      JSON.stringify(text),
    );
  }
});

test('says which line is no pattern, and why', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a\n!\n', '.dockerignore:2: "!" is an exclamation mark without a pattern'],
    ['[a', '.dockerignore:1: "[a" has an opening bracket without a closing one'],
    ['# [\n\n  b\\', '.dockerignore:3: "b\\\\" ends with a backslash that escapes nothing'],
    ['[]a]', '.dockerignore:1: "[]a]" has an empty pair of brackets'],
  ];
  for (const [text, message] of cases) assert.throws(() => parseIgnoreFile(text, '.dockerignore'), { message });
});

test('leaves out .git, unless the file says otherwise', () => {
  for (const rules of [noIgnoreFile(), parseIgnoreFile('*.log', 'file')])
    assert.deepEqual([rules.isIgnored('.git'), rules.isIgnored('.git/HEAD'), rules.isIgnored('a/.git')], [true, true, false]);
  assert.equal(parseIgnoreFile('!.git', 'file').isIgnored('.git/HEAD'), false);
  const contents = parseIgnoreFile('!.git/**', 'file');
  assert.deepEqual([contents.isIgnored('.git/HEAD'), contents.mayBringBack('.git')], [false, true]);
});

test('never leaves out what must be sent, and looks no further for it', () => {
  const rules = parseIgnoreFile('*\n', 'file').including('build/[a] file').including('.dockerignore');
  assert.equal(rules.isIgnored('build/[a] file'), false);
  assert.equal(rules.isIgnored('build/a file'), true);
  assert.equal(rules.mayBringBack('build'), true);
});

test('does not look into folders that nothing is brought back from', () => {
  const rules = parseIgnoreFile('node_modules\nout\n!out/kept/**\n', 'file');
  assert.deepEqual(
    ['node_modules', 'out', 'out/kept', 'out/other'].map((folder) => rules.mayBringBack(folder)),
    [false, true, true, false],
  );
});

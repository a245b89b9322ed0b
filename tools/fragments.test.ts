import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { changelogSection, parseFragment } from './fragments.ts';
import { root } from './workspace.ts';

test('every fragment in changes/ is well-formed', () => {
  const folder = join(root, 'changes');
  for (const name of readdirSync(folder)) {
    if (name !== 'TEMPLATE.md') parseFragment(name, readFileSync(join(folder, name), 'utf8'));
  }
});

const malformed: readonly (readonly [name: string, source: string, reason: RegExp])[] = [
  ['Bad Name.md', 'added: A title\n\nText.\n', /kebab-case/],
  ['a.md', 'new: A title\n\nText.\n', /first line/],
  ['a.md', 'added A title\n\nText.\n', /first line/],
  ['a.md', 'added: A title.\n\nText.\n', /full stop/],
  ['a.md', `added: ${'x'.repeat(81)}\n\nText.\n`, /80 characters/],
  ['a.md', 'added: A title\nText.\n', /empty line/],
  ['a.md', 'added: A title\n\n\n', /a text must follow/],
  ['a.md', 'added: A title\n\nno end\n', /whole sentences/],
  ['a.md', 'added: A title\n\nTODO later.\n', /placeholder/],
];
for (const [name, source, reason] of malformed) {
  test(`refuses ${JSON.stringify(source)} in ${name}`, () => {
    assert.throws(() => parseFragment(name, source), reason);
  });
}

test('a section groups its entries by kind', () => {
  const fragments = [
    parseFragment('b.md', 'fixed: One thing\n\nIt works\nnow.\n'),
    parseFragment('a.md', 'added: Another\n\nIt is new.\n'),
  ];
  const section = changelogSection('1.2.3', new Date('2026-01-02T00:00:00Z'), fragments);
  assert.equal(
    section,
    '## 1.2.3 (2026-01-02)\n\n### Added\n\n- **Another.** It is new.\n\n### Fixed\n\n- **One thing.** It works\n  now.\n',
  );
});

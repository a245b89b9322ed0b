import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseReference, parseTag } from './reference.ts';

const first = 'abcXYZ019_';
const tagTexts = fc
  .tuple(fc.constantFrom(...first), fc.string({ unit: fc.constantFrom(...`${first}.-`), maxLength: 127 }))
  .map(([start, rest]) => start + rest);

test('every tag that the grammar makes is taken, and is a reference to that tag', () => {
  fc.assert(
    fc.property(tagTexts, (text) => {
      assert.equal(parseTag(text), text);
      assert.deepEqual(parseReference(text), { kind: 'tag', tag: text });
    }),
  );
});

test('a reference is a tag or a digest, or is refused by the code of what it tried to be', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab0._-:/@A \n\u00e9'), maxLength: 12 }), (text) => {
      const isTag = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(text);
      if (isTag) assert.deepEqual(parseReference(text), { kind: 'tag', tag: text });
      else assert.throws(() => parseReference(text), { code: text.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID' });
    }),
  );
});

test('a digest is a reference to that digest', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  assert.deepEqual(parseReference(digest), { kind: 'digest', digest });
});

test('what looks like a digest and is none is never taken for a tag', () => {
  assert.throws(() => parseReference('sha256:baddigeststring'), { code: 'DIGEST_INVALID' });
});

for (const text of ['', '.a', '-a', 'a'.repeat(129), 'a b', 'a/b', 'a@b', 'é', 'a\n', 'a,b']) {
  test(`${JSON.stringify(text.slice(0, 20))} of ${text.length} characters is no tag`, () => {
    assert.throws(() => parseTag(text), { code: 'TAG_INVALID', message: /1 to 128 letters/ });
  });
}

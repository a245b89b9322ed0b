import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { OciError } from './oci-error.ts';
import { maxRepositoryNameLength, parseRepositoryName } from './repository-name.ts';

/** The grammar of the OCI distribution specification, "Pulling manifests". */
const specification = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;

const word = fc.string({ unit: fc.constantFrom(...'abcxyz0189'), minLength: 1, maxLength: 8 });
const separator = fc.constantFrom('.', '_', '__', '-', '--', '-----');
const component = fc
  .tuple(word, fc.array(fc.tuple(separator, word), { maxLength: 3 }))
  .map(([first, rest]) => first + rest.map(([between, next]) => between + next).join(''));

test('every name that the grammar makes is taken as it is', () => {
  fc.assert(
    fc.property(fc.array(component, { minLength: 1, maxLength: 5 }), (components) => {
      const name = components.join('/');
      fc.pre(name.length <= maxRepositoryNameLength);
      assert.match(name, specification);
      assert.equal(parseRepositoryName(name), name);
    }),
  );
});

test('a text is taken exactly if the specification takes it and it is short enough', () => {
  const near = fc.string({ unit: fc.constantFrom(...'ab0._-/A:@% \n\u00e9\uff0e'), maxLength: 12 });
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ unit: 'binary', maxLength: 300 })), (text) => {
      const isLegal = specification.test(text) && text.length <= maxRepositoryNameLength;
      if (isLegal) assert.equal(parseRepositoryName(text), text);
      else
        assert.throws(
          () => parseRepositoryName(text),
          (error) => error instanceof OciError && error.code === 'NAME_INVALID' && error.message.length < 1200,
        );
    }),
    { numRuns: 2000 },
  );
});

const taken = [
  'blobs',
  'uploads',
  'manifests',
  'tags',
  'referrers',
  'a/manifests/b',
  'blobs/uploads',
  'v2',
  'tags/list',
  'a'.repeat(255),
  '0',
  'a__b',
  'a---b',
];
for (const name of taken) {
  test(`attack 2: ${JSON.stringify(name.slice(0, 30))} is a legal name`, () => {
    assert.equal(parseRepositoryName(name), name);
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ['', /it is empty/],
  ['..', /the part ".."/],
  ['a/../b', /the part ".."/],
  ['a/./b', /the part "."/],
  ['a%2e%2e', /must be lower-case/],
  ['a%2Fb', /upper-case|must be lower-case/],
  ['a//b', /two in a row/],
  ['/a', /begins or ends with a slash/],
  ['a/', /begins or ends with a slash/],
  ['a\u2024b', /must be lower-case/],
  ['a\uff0eb', /must be lower-case/],
  ['A', /upper-case/],
  ['a/B', /upper-case/],
  ['a___b', /must be lower-case/],
  ['a..b', /must be lower-case/],
  ['-a', /must be lower-case/],
  ['a-', /must be lower-case/],
  ['a.', /must be lower-case/],
  ['a:b', /must be lower-case/],
  ['_catalog', /must be lower-case/],
  ['a\0', /must be lower-case/],
  ['a\n', /must be lower-case/],
  ['a'.repeat(256), /256 characters, 255 are allowed/],
];
for (const [name, message] of refused) {
  test(`attack 2: ${JSON.stringify(name.slice(0, 30))} is refused and told why`, () => {
    assert.throws(() => parseRepositoryName(name), { code: 'NAME_INVALID', message });
  });
}

test('attack 43: a long name that almost fits is judged at once', () => {
  const began = performance.now();
  for (const text of [`${'a-'.repeat(127)}!`, `${'a'.repeat(254)}_`, '-'.repeat(255)]) {
    assert.throws(() => parseRepositoryName(text), { code: 'NAME_INVALID' });
  }
  assert.ok(performance.now() - began < 5000);
});

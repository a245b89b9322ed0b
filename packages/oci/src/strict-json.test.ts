import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseStrictJson } from './strict-json.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('valid JSON without repeated keys means what JSON.parse says, however it is spaced', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), undefined, indent);
      fc.pre(!text.includes('\0'));
      assert.deepEqual(parseStrictJson(bytes(text)), JSON.parse(text));
    }),
  );
});

test('attack 4: a key that comes twice in one object is refused wherever it stands, also when it is escaped', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 10 }),
      fc.jsonValue({ maxDepth: 2 }),
      fc.boolean(),
      (key, value, isEscaped) => {
        fc.pre(!key.includes('\0'));
        const written = JSON.stringify(key);
        const again = isEscaped ? `"${[...key].map(escapeAll).join('')}"` : written;
        const text = `{"deep":[{"other":${JSON.stringify(value)}, ${written} : 1, "list":[{"x":"y"}],${again}\n:2}]}`;
        fc.pre(!['other', 'list'].includes(key));
        assert.throws(() => parseStrictJson(bytes(text)), { code: 'MANIFEST_INVALID', message: /twice in one object/ });
      },
    ),
  );
});

function escapeAll(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}

test('the same key in different objects, or as a value, is no repetition', () => {
  const text = '{"a":{"a":"a"},"b":["a","a",{"a":1},{"a":2}],"c":"a\\":\\"a"}';
  assert.deepEqual(parseStrictJson(bytes(text)), JSON.parse(text));
});

test('attack 44: __proto__ is a key like others', () => {
  const value = parseStrictJson(bytes('{"__proto__":{"isAdmin":true},"constructor":1}'));
  assert.deepEqual(Object.keys(value as object), ['__proto__', 'constructor']);
  assert.equal(({} as Record<string, unknown>)['isAdmin'], undefined);
  assert.throws(() => parseStrictJson(bytes('{"__proto__":1,"__proto__":2}')), { code: 'MANIFEST_INVALID' });
});

const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['nothing', bytes(''), /not valid JSON/],
  ['half an object', bytes('{"a":1'), /not valid JSON/],
  ['two documents', bytes('{} {}'), /not valid JSON/],
  ['an open string', bytes('{"a'), /not valid JSON/],
  ['a byte order mark', bytes('\ufeff{}'), /not valid JSON/],
  ['a NUL byte in a string', bytes('{"a":"b\0"}'), /NUL/],
  ['a NUL byte after the end', bytes('{}\0'), /NUL/],
  ['bytes that are not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /UTF-8/],
  ['a surrogate in UTF-8', new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), /UTF-8/],
  ['50 levels of objects', bytes(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`), /nested deeper than 32/],
  ['two million open brackets', bytes('['.repeat(2_000_000)), /nested deeper than 32/],
];
for (const [what, input, message] of refused) {
  test(`attack 4: ${what} is refused`, () => {
    assert.throws(() => parseStrictJson(input), { code: 'MANIFEST_INVALID', message });
  });
}

test('32 levels are taken, and brackets in strings do not count', () => {
  assert.ok(parseStrictJson(bytes(`${'['.repeat(32)}${']'.repeat(32)}`)));
  assert.equal(parseStrictJson(bytes(`"${'['.repeat(100)}"`)), '['.repeat(100));
});

test('attack 43: documents of 4 MB that are built to be slow are judged in linear time', () => {
  const size = 4 * 1024 * 1024;
  const manyKeys = `{${Array.from({ length: size / 16 }, (_, index) => `"key${String(index).padStart(8, '0')}":1`).join(',')}}`;
  const inputs = [
    `"${'\\'.repeat(size - 2)}"`,
    `[${'"",'.repeat(size / 3 - 1)}""]`,
    `["${'\\"'.repeat(size / 2 - 4)}"]`,
    manyKeys,
    `{"a"${' '.repeat(size)}:1}`,
    '"'.repeat(size),
  ];
  for (const input of inputs) {
    const began = performance.now();
    try {
      parseStrictJson(bytes(input));
    } catch (error) {
      assert.match(String(error), /not valid JSON/);
    }
    // Quadratic time would be hours; a loaded machine that also measures coverage needs room.
    assert.ok(performance.now() - began < 30_000, `${input.slice(0, 10)}… took ${performance.now() - began} ms`);
  }
});

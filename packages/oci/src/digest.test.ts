import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { digestAlgorithm, digestHex, isDigest, parseDigest, parseDigestAlgorithm, supportedAlgorithms } from './digest.ts';
import { OciError } from './oci-error.ts';

const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const digestTexts = fc.oneof(
  hex(64).map((text) => `sha256:${text}`),
  hex(128).map((text) => `sha512:${text}`),
);

test('digests of both algorithms parse to what they were and fall into algorithm and hexadecimal digits', () => {
  fc.assert(
    fc.property(digestTexts, (text) => {
      const digest = parseDigest(text);
      assert.equal(`${digestAlgorithm(digest)}:${digestHex(digest)}`, text);
      assert.ok(isDigest(text));
    }),
  );
});

test('any other text is refused with DIGEST_INVALID and a bounded message', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 400 }), fc.string({ unit: 'binary', maxLength: 400 })), (text) => {
      fc.pre(!/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text));
      assert.equal(isDigest(text), false);
      assert.throws(
        () => parseDigest(text),
        (error) => error instanceof OciError && error.code === 'DIGEST_INVALID' && error.message.length < 800,
      );
    }),
  );
});

test('attack 3: a digest that lost, gained or changed one character is refused', () => {
  fc.assert(
    fc.property(digestTexts, fc.nat(), fc.constantFrom('', 'G', 'A', '/', '.', '\0', '%', 'é', '00'), (text, at, replacement) => {
      const index = at % text.length;
      const changed = text.slice(0, index) + replacement + text.slice(index + 1);
      fc.pre(changed !== text);
      assert.throws(() => parseDigest(changed), { code: 'DIGEST_INVALID' });
    }),
  );
});

const refused: readonly (readonly [string, RegExp])[] = [
  ['', /no algorithm/],
  ['sha256', /no algorithm/],
  ['sha256:baddigeststring', /64 lower-case/],
  [`sha256:${'A'.repeat(64)}`, /64 lower-case/],
  [`sha256:${'a'.repeat(63)}`, /64 lower-case/],
  [`sha256:${'a'.repeat(65)}`, /64 lower-case/],
  [`sha256:${'a'.repeat(64)}\n`, /64 lower-case/],
  [`sha512:${'a'.repeat(64)}`, /128 lower-case/],
  ['sha256:../../x', /64 lower-case/],
  [`SHA256:${'a'.repeat(64)}`, /not supported/],
  [`md5:${'a'.repeat(32)}`, /not supported/],
  [`sha384:${'a'.repeat(96)}`, /not supported/],
  [`:${'a'.repeat(64)}`, /not supported/],
];
for (const [text, message] of refused) {
  test(`attack 3: ${JSON.stringify(text.slice(0, 24))} of ${text.length} characters is refused and told why`, () => {
    assert.throws(() => parseDigest(text), { code: 'DIGEST_INVALID', message });
  });
}

test('an algorithm is one of those supported', () => {
  assert.deepEqual(supportedAlgorithms.map(parseDigestAlgorithm), ['sha256', 'sha512']);
  for (const text of ['', 'sha1', 'SHA256', 'sha256 ', '__proto__']) {
    assert.throws(() => parseDigestAlgorithm(text), { code: 'DIGEST_INVALID', message: /use sha256 or sha512/ });
  }
});

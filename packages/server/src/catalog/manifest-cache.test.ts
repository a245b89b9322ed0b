import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManifestCache, type OpenedManifest } from './manifest-cache.ts';

function manifest(sizeBytes: number): OpenedManifest {
  return { mediaType: 'a/b', content: Buffer.alloc(sizeBytes), headers: {} };
}

test('the least recently used goes first', () => {
  const cache = new ManifestCache(3 * (1000 + 1024));
  for (const digest of ['a', 'b', 'c']) cache.set(1, digest, manifest(1000));
  assert.ok(cache.get(1, 'a'));
  cache.set(1, 'd', manifest(1000));
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((digest) => cache.get(1, digest) !== undefined),
    [true, false, true, true],
  );
});

test('registries do not share entries', () => {
  const cache = new ManifestCache(1 << 20);
  cache.set(1, '1:x', manifest(1));
  cache.set(11, 'x', manifest(2));
  assert.equal(cache.get(1, 'x'), undefined);
  assert.equal(cache.get(1, '1:x')?.content.length, 1);
  assert.equal(cache.get(11, 'x')?.content.length, 2);
});

test('large documents are not kept', () => {
  const cache = new ManifestCache(16 << 20);
  cache.set(1, 'large', manifest((1 << 20) + 1));
  assert.equal(cache.get(1, 'large'), undefined);
  const tiny = new ManifestCache(2000);
  tiny.set(1, 'x', manifest(1500));
  assert.equal(tiny.get(1, 'x'), undefined);
  assert.equal(new ManifestCache(0).bytes, 0);
});

test('property: what is kept stays within its bytes, and the last one set is there', () => {
  const steps = fc.array(
    fc.record({ digest: fc.constantFrom('a', 'b', 'c', 'd', 'e'), sizeBytes: fc.nat(4000), isRead: fc.boolean() }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 6000, max: 20_000 }), (taken, maxBytes) => {
      const cache = new ManifestCache(maxBytes);
      const sizes = new Map<string, number>();
      for (const { digest, sizeBytes, isRead } of taken) {
        if (isRead) {
          const found = cache.get(1, digest);
          assert.ok(found === undefined || found.content.length === sizes.get(digest));
          continue;
        }
        cache.set(1, digest, manifest(sizeBytes));
        sizes.set(digest, sizeBytes);
        assert.ok(cache.bytes <= maxBytes);
        assert.equal(cache.get(1, digest)?.content.length, sizeBytes);
      }
    }),
  );
});

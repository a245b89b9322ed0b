import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifest } from '@berth/oci';
import { digestOf, randomImage, randomIndex } from './random-image.ts';

test('a seed stands for the same image, another seed for another', () => {
  assert.deepEqual(randomImage({ seed: 1 }), randomImage({ seed: 1 }));
  assert.notEqual(randomImage({ seed: 1 }).manifest.digest, randomImage({ seed: 2 }).manifest.digest);
  assert.notEqual(randomImage().manifest.digest, randomImage().manifest.digest);
  assert.deepEqual(randomIndex({ seed: 1 }), randomIndex({ seed: 1 }));
});

test('layers are as many, as large and as different as asked for', () => {
  const { layers } = randomImage({ layers: 3, layerBytes: 77, algorithm: 'sha512' });
  assert.deepEqual(
    layers.map(({ bytes }) => bytes.length),
    [77, 77, 77],
  );
  assert.equal(new Set(layers.map(({ digest }) => digest)).size, 3);
  for (const { bytes, digest } of layers) assert.equal(digest, digestOf(bytes, 'sha512'));
});

test('manifests refer to what belongs to them and take fields', () => {
  const { config, layers, manifest } = randomImage({ fields: { annotations: { a: 'b' } } });
  const parsed = parseManifest(manifest.bytes, manifest.mediaType);
  assert.deepEqual(
    parsed.requiredBlobs.map(({ digest }) => digest),
    [config, ...layers].map(({ digest }) => digest),
  );
  assert.deepEqual(parsed.annotations, { a: 'b' });
  const index = randomIndex({ images: 3 });
  const children = parseManifest(index.manifest.bytes, index.manifest.mediaType).children;
  assert.deepEqual(
    children.map(({ digest }) => digest),
    index.images.map((image) => image.manifest.digest),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypes } from '@berth/oci';
import { imagesOf } from './images-of.ts';

const [a, b, c] = ['a', 'b', 'c'].map((letter) => `sha256:${letter.repeat(64)}`) as [string, string, string];

function index(manifests: readonly object[]) {
  return { digest: c, mediaType: mediaTypes.ociIndex, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })) };
}

test('an index stands for its images, whatever their order, and not for what is attested of them', () => {
  const attestation = { digest: c, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } };
  assert.deepEqual(imagesOf(index([{ digest: b }, attestation, { digest: a, annotations: {} }])), [a, b]);
});

test('whatever has no images in it stands for itself', () => {
  assert.deepEqual(imagesOf({ digest: a, mediaType: mediaTypes.ociManifest, bytes: Buffer.from('{"manifests":[{}]}') }), [a]);
  assert.deepEqual(imagesOf(index([])), [c]);
  assert.deepEqual(imagesOf({ ...index([{ digest: a }]), bytes: Buffer.alloc(300_000, ' ') }), [c]);
});

test('what only says that it is an index stands for itself, whatever it is', () => {
  for (const manifests of ['null', '{}', '[null]', '[{"annotations":null}]', '[{"digest":7}]', '['])
    assert.deepEqual(imagesOf({ ...index([]), bytes: Buffer.from(`{"manifests":${manifests}}`) }), [c], manifests);
  for (const text of ['', 'null', '[]']) assert.deepEqual(imagesOf({ ...index([]), bytes: Buffer.from(text) }), [c], text);
});

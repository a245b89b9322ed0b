import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openBytes, partGeometry, plainCapacity, plainStart, sealedSize, segmentCount } from './index.ts';
import { PartCipher } from './part-cipher.ts';

interface Vector {
  readonly segmentBytes: number;
  readonly plainBytes: number;
  readonly associatedData: string;
  /** Whole, or only its header and hash when it is large. */
  readonly sealed?: string;
  readonly header?: string;
  readonly sealedSha256?: string;
}

/** Made by `tools/tink-vectors.py` with Tink's own writer. */
const file = JSON.parse(readFileSync(new URL('./tink-vectors.json', import.meta.url), 'utf8')) as {
  key: string;
  vectors: Vector[];
};
const key = { id: 'k', registryId: 1, material: Buffer.from(file.key, 'hex') };

function plaintext(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 7 + Math.floor(index / 251)) & 0xff));
}

/** With the header of a sealed part, the sealed form of a plaintext is one. */
function sealWithHeader(vector: Vector, header: Buffer): Buffer {
  const geometry = { segmentBytes: vector.segmentBytes };
  const cipher = PartCipher.read(header, key.material, vector.associatedData);
  const plain = plaintext(vector.plainBytes);
  const count = segmentCount(geometry, plain.length);
  const sealed: Buffer[] = [header];
  for (let segment = 0; segment < count; segment += 1) {
    const start = plainStart(geometry, segment);
    const sealing = cipher.seal(segment, segment === count - 1);
    sealed.push(
      sealing.update(plain.subarray(start, start + plainCapacity(geometry, segment))),
      sealing.final(),
      sealing.getAuthTag(),
    );
  }
  return Buffer.concat(sealed);
}

for (const vector of file.vectors) {
  test(`Tink's ${vector.plainBytes} bytes in segments of ${vector.segmentBytes}`, () => {
    const geometry = { segmentBytes: vector.segmentBytes };
    if (vector.sealed === undefined) {
      const sealed = sealWithHeader(vector, Buffer.from(vector.header ?? '', 'base64'));
      assert.equal(createHash('sha256').update(sealed).digest('hex'), vector.sealedSha256);
      assert.equal(sealed.length, sealedSize(geometry, vector.plainBytes));
      return;
    }
    const sealed = Buffer.from(vector.sealed, 'base64');
    assert.equal(sealed.length, sealedSize(geometry, vector.plainBytes));
    assert.deepEqual(openBytes(key, vector.associatedData, sealed, geometry), plaintext(vector.plainBytes));
    assert.deepEqual(sealWithHeader(vector, sealed.subarray(0, 40)), sealed);
  });
}

test('the vectors hold the segment size that parts have', () => {
  assert.ok(file.vectors.filter((vector) => vector.segmentBytes === partGeometry.segmentBytes).length >= 9);
});

import { createHash, randomBytes, randomFillSync } from 'node:crypto';

/** A layer that no server has seen: a unique head in front of a shared body, so that making one costs only its hash. */
export interface Layer {
  readonly digest: string;
  readonly sizeBytes: number;
  /** The bytes in slices of at most 1 MiB, without copying. */
  slices(): Generator<Uint8Array>;
  /** Whether `chunk` equals the layer's bytes at `offset`: as strict as a digest, and cheap enough not to be what is measured. */
  matches(offset: number, chunk: Uint8Array): boolean;
}

const headBytes = 64;
const sliceBytes = 1 << 20;
let sharedBody = Buffer.alloc(0);

function bodyOf(sizeBytes: number): Buffer {
  if (sharedBody.length < sizeBytes) sharedBody = randomFillSync(Buffer.allocUnsafe(sizeBytes));
  return sharedBody.subarray(0, sizeBytes);
}

/** Fixes the shared body before layers are made; layers made earlier from a smaller one would change under their digest. */
export function prepareBody(largestBytes: number): void {
  bodyOf(largestBytes);
}

export function uniqueLayer(sizeBytes: number): Layer {
  const head = randomBytes(headBytes);
  const tail = bodyOf(sizeBytes).subarray(headBytes);
  const digest = `sha256:${createHash('sha256').update(head).update(tail).digest('hex')}`;
  return {
    digest,
    sizeBytes,
    *slices() {
      yield head;
      for (let offset = 0; offset < tail.length; offset += sliceBytes) yield tail.subarray(offset, offset + sliceBytes);
    },
    matches(offset, chunk) {
      const inHead = Math.max(0, Math.min(chunk.length, headBytes - offset));
      if (inHead > 0 && head.compare(chunk, 0, inHead, offset, offset + inHead) !== 0) return false;
      const start = offset + inHead - headBytes;
      return tail.compare(chunk, inHead, chunk.length, start, start + chunk.length - inHead) === 0;
    },
  };
}

/** An image of one unique layer and a unique config. */
export interface Image {
  readonly layers: readonly Layer[];
  readonly config: Buffer;
  readonly configDigest: string;
  readonly manifest: Buffer;
  readonly manifestDigest: string;
}

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';

export function imageOf(layers: readonly Layer[]): Image {
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: randomBytes(16).toString('hex'),
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    }),
  );
  const configDigest = sha256(config);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: configDigest, size: config.length },
      layers: layers.map((layer) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: layer.digest,
        size: layer.sizeBytes,
      })),
    }),
  );
  return { layers, config, configDigest, manifest, manifestDigest: sha256(manifest) };
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

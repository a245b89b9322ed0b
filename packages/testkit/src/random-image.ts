import { createCipheriv, createHash, randomInt } from 'node:crypto';
import { type DigestAlgorithm, mediaTypes } from '@berth/oci';

/** Bytes with the descriptor that names them. */
export interface Content {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

/** As manifests refer to content. */
export interface DescriptorJson {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface RandomImageOptions {
  /** Default: 2. */
  readonly layers?: number;
  /** Size of each layer. Default: 1024. */
  readonly layerBytes?: number;
  /** The same seed gives the same bytes. Default: a new one. */
  readonly seed?: number;
  /** Default: sha256. */
  readonly algorithm?: DigestAlgorithm;
  /** Joined into the manifest, over what stands there. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface RandomImage {
  readonly config: Content;
  readonly layers: readonly Content[];
  readonly manifest: Content;
}

export interface RandomIndex {
  readonly images: readonly RandomImage[];
  readonly manifest: Content;
}

/** An image of random layers, which no engine can run and every registry must take. */
export function randomImage(options: RandomImageOptions = {}): RandomImage {
  const { layers: count = 2, layerBytes = 1024, seed = newSeed(), algorithm = 'sha256', fields = {} } = options;
  const layers = Array.from({ length: count }, (_, index) =>
    contentOf('application/vnd.oci.image.layer.v1.tar', randomBytesOf(layerBytes, seed + index / 1000), algorithm),
  );
  const diffIds = layers.map((layer) => `sha256:${createHash('sha256').update(layer.bytes).digest('hex')}`);
  const config = contentOf(
    'application/vnd.oci.image.config.v1+json',
    json({ architecture: 'amd64', os: 'linux', author: `random image ${seed}`, rootfs: { type: 'layers', diff_ids: diffIds } }),
    algorithm,
  );
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
    ...fields,
  };
  return { config, layers, manifest: contentOf(document.mediaType, json(document), algorithm) };
}

/** An index over random images of different platforms. */
export function randomIndex(options: RandomImageOptions & { readonly images?: number } = {}): RandomIndex {
  const { images: count = 2, seed = newSeed(), algorithm = 'sha256', fields = {}, ...rest } = options;
  const images = Array.from({ length: count }, (_, index) => randomImage({ ...rest, algorithm, seed: seed + index }));
  const architectures = ['amd64', 'arm64', 'riscv64', 's390x'];
  const manifests = images.map(({ manifest }, index) => ({
    ...descriptorOf(manifest),
    platform: { os: 'linux', architecture: architectures[index % architectures.length] },
  }));
  const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, ...fields };
  return { images, manifest: contentOf(document.mediaType, json(document), algorithm) };
}

/** The bytes that a seed stands for. */
export function randomBytesOf(sizeBytes: number, seed: number = newSeed()): Buffer {
  const key = createHash('sha256').update(`random bytes ${seed}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

export function contentOf(mediaType: string, bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Content {
  return { mediaType, digest: digestOf(bytes, algorithm), bytes: Buffer.from(bytes) };
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

export function descriptorOf({ mediaType, digest, bytes }: Content): DescriptorJson {
  return { mediaType, digest, size: bytes.length };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function newSeed(): number {
  return randomInt(2 ** 40);
}

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { findProgram, runProgram } from './client-program.ts';

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export interface SampleDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
}

export interface SampleImage {
  readonly architecture: string;
  /** Bytes of the file `/payload` in its only layer: random, so that no two images share a layer. */
  readonly payload: Buffer;
  readonly manifest: SampleDescriptor;
  readonly manifestBytes: Buffer;
  /** Config, layer and manifest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Makes a small image that real engines unpack: busybox (where it is installed) and a random file. */
export async function makeImage(architecture = 'amd64', payloadBytes = 200_000): Promise<SampleImage> {
  const payload = randomBytes(payloadBytes);
  const folder = await mkdtemp(join(tmpdir(), 'berth-image-'));
  try {
    await writeFile(join(folder, 'payload'), payload);
    const busybox = findProgram('busybox');
    if (busybox !== undefined) await writeFile(join(folder, 'busybox'), await readFile(busybox), { mode: 0o755 });
    const tar = await runProgram('/usr/bin/env', ['tar', '-C', folder, '--owner=0', '--group=0', '-cf', '-', '.']);
    return describeImage(architecture, payload, tar.bytes);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function describeImage(architecture: string, payload: Buffer, tar: Buffer): SampleImage {
  const blobs = new Map<string, Buffer>();
  const keep = (mediaType: string, bytes: Buffer): SampleDescriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const layer = keep(mediaTypes.layer, gzipSync(tar, { level: 1 }));
  const config = keep(
    mediaTypes.config,
    json({
      architecture,
      os: 'linux',
      config: { Cmd: ['/busybox', 'sha256sum', '/payload'], Labels: { 'berth.test': 'sample' } },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
      history: [{ created_by: 'sample' }],
    }),
  );
  const manifestBytes = json({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] });
  const manifest = { ...keep(mediaTypes.manifest, manifestBytes), platform: { os: 'linux', architecture } };
  return { architecture, payload, manifest, manifestBytes, blobs };
}

/** An image index over one image per architecture. */
export interface SampleIndex {
  readonly images: readonly SampleImage[];
  readonly digest: string;
  readonly bytes: Buffer;
}

export async function makeIndex(architectures: readonly string[] = ['amd64', 'arm64']): Promise<SampleIndex> {
  const images = await Promise.all(architectures.map((architecture) => makeImage(architecture, 50_000)));
  const bytes = json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: images.map((image) => image.manifest) });
  return { images, digest: digestOf(bytes), bytes };
}

/** Writes an OCI image layout whose index names the image or the multi-architecture index as `tag`. */
export async function writeLayout(folder: string, content: SampleImage | SampleIndex, tag: string): Promise<void> {
  const blobs = new Map('images' in content ? content.images.flatMap((image) => [...image.blobs]) : content.blobs);
  if ('images' in content) blobs.set(content.digest, content.bytes);
  const top =
    'images' in content
      ? { mediaType: mediaTypes.index, digest: content.digest, size: content.bytes.length }
      : { mediaType: content.manifest.mediaType, digest: content.manifest.digest, size: content.manifest.size };
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  for (const [digest, bytes] of blobs) await writeFile(join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)), bytes);
  await writeFile(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  const named = { ...top, annotations: { 'org.opencontainers.image.ref.name': tag } };
  await writeFile(join(folder, 'index.json'), json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [named] }));
}

/** The blobs of an OCI layout by digest, each checked to be what its name says. */
export async function readLayout(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const blobs = new Map<string, Buffer>();
  for (const name of await readdir(join(folder, 'blobs', 'sha256'))) {
    const bytes = await readFile(join(folder, 'blobs', 'sha256', name));
    if (digestOf(bytes) !== `sha256:${name}`) throw new Error(`the blob ${name} of ${folder} is damaged`);
    blobs.set(`sha256:${name}`, bytes);
  }
  return blobs;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

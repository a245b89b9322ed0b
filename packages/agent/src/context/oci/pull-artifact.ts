import { chmodSync, createReadStream, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegistryLogin } from '@berth/api';
import { type ImageReference, parseImageReference } from '@berth/task-file';
import { withRetries } from '../http-get.ts';
import { saveBody } from '../save-body.ts';
import { SafeTree } from '../safe-tree.ts';
import { SourceError } from '../source-error.ts';
import { unpack } from '../unpack.ts';
import { ArtifactRegistry, algorithmOf } from './artifact-registry.ts';

const manifestTypes = ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json'];
const indexTypes = ['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json'];
const titleKey = 'org.opencontainers.image.title';
/** oras packs folders so. */
const unpackKey = 'io.deis.oras.content.unpack';
const maxLayers = 10_000;

export interface PullOptions {
  readonly logins: readonly RegistryLogin[];
  /** Of all files together. */
  readonly maxBytes: number;
  /** Of the run, outside of the workspace. */
  readonly folder: string;
  readonly signal: AbortSignal;
  log(text: string): void;
}

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Brings an artifact into an empty folder: layers with a title become files of that name, layers that are archives are unpacked, as
 * they are in images. @param text `registry/repository:tag` or `…@digest` @throws SourceError
 */
export async function pullArtifact(text: string, workspace: string, options: PullOptions): Promise<void> {
  const reference = parseImageReference(text);
  if (reference === undefined)
    throw new SourceError(`${JSON.stringify(text.slice(0, 200))} names no artifact: write it as oci://registry/repository:tag`);
  options.log(`pulls ${text}`);
  const registry = new ArtifactRegistry(reference, options.logins, options.signal);
  const layers = await readLayers(registry, reference, { text, signal: options.signal });
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  if (total > options.maxBytes)
    throw new SourceError(`${text} has ${total} bytes, more than the ${options.maxBytes} bytes that a workspace may have`);
  let leftBytes = options.maxBytes;
  const tree = new SafeTree(workspace);
  for (const layer of layers) {
    const file = join(options.folder, 'layer');
    try {
      await withRetries(options.signal, () => saveBody(registry.blob(layer.digest, layer.size), file, layer.size));
      const title = layer.annotations[titleKey];
      const isArchive = /\.tar(?:\+[a-z]+)?$|\.tar\.[a-z]+$/.test(layer.mediaType) || layer.annotations[unpackKey] === 'true';
      if (title !== undefined && layer.annotations[unpackKey] !== 'true') {
        leftBytes -= layer.size;
        moveInto(tree, file, title);
      } else if (isArchive) {
        await unpack(createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>, workspace, {
          maxBytes: leftBytes,
          signal: options.signal,
        });
      } else
        throw new SourceError(
          `${text} has a layer of the type ${shownType(layer)} without a title: such a layer becomes no file`,
        );
    } finally {
      await rm(file, { force: true });
    }
  }
}

/** Makes a downloaded file one of the workspace. @throws SourceError when its title leads elsewhere */
function moveInto(tree: SafeTree, file: string, title: string): void {
  const path = tree.clear(tree.placeOf(title));
  renameSync(file, path);
  chmodSync(path, 0o644);
}

function shownType({ mediaType }: Layer): string {
  return JSON.stringify(mediaType.slice(0, 100));
}

interface ReadOptions {
  readonly text: string;
  readonly signal: AbortSignal;
}

async function readLayers(
  registry: ArtifactRegistry,
  reference: ImageReference,
  { text, signal }: ReadOptions,
): Promise<readonly Layer[]> {
  const accept = [...manifestTypes, ...indexTypes].join(', ');
  let name = reference.digest ?? reference.tag ?? 'latest';
  for (let depth = 0; depth < 2; depth += 1) {
    const manifest = await withRetries(signal, () => registry.manifest(name, accept));
    const { layers, manifests } = parseManifest(manifest, text);
    if (layers !== undefined) return layers.map((layer) => parseLayer(layer, text));
    // Of an index of one, that is what is meant.
    const [only, more] = manifests ?? [];
    if (only === undefined || more !== undefined) break;
    algorithmOf(only.digest);
    name = only.digest;
  }
  throw new SourceError(`${text} is an index of several images: name one of them by its digest`);
}

interface ManifestJson {
  readonly layers?: readonly unknown[];
  readonly manifests?: readonly { readonly digest: string }[];
}

function parseManifest(bytes: Buffer, text: string): ManifestJson {
  try {
    const { layers, manifests } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    if (Array.isArray(layers) && layers.length <= maxLayers) return { layers };
    if (Array.isArray(manifests)) return { manifests: manifests as { digest: string }[] };
  } catch {
    // Said below.
  }
  throw new SourceError(`what the registry has under ${text} is no manifest of an artifact`);
}

function parseLayer(value: unknown, text: string): Layer {
  const { mediaType, digest, size, annotations } = (value ?? {}) as Record<string, unknown>;
  if (
    typeof mediaType !== 'string' ||
    typeof digest !== 'string' ||
    typeof size !== 'number' ||
    !Number.isSafeInteger(size) ||
    size < 0
  )
    throw new SourceError(`the manifest of ${text} has a layer without type, digest or size`);
  algorithmOf(digest);
  const texts = Object.entries((annotations ?? {}) as Record<string, unknown>).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return { mediaType, digest, size, annotations: Object.fromEntries(texts) };
}

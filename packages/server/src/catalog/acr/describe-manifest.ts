import { isDigest, isIndexType } from '@berth/oci';
import type { CatalogContext } from '../catalog-context.ts';
import type { Platform } from '../model.ts';
import { openManifest } from '../read-manifest.ts';
import type { ManifestRecord } from './queries.ts';

/** What ACR tells of a manifest beyond its row. */
export interface ManifestDescription extends Platform {
  /** Of an image: config and layers; of anything else the manifest itself. */
  readonly imageSize: number;
  readonly configMediaType?: string;
  /** What an index lists. */
  readonly references?: readonly (Platform & { readonly digest: string })[];
}

/** Larger documents take longer to parse than others should wait: they are told by their row alone. */
const maxDocumentBytes = 512 * 1024;

/** No config of an image that anybody runs is as large. */
const maxConfigBytes = 1024 * 1024;

const imageConfigs = new Set(['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json']);

/** Where a manifest lies, and until when somebody wants to know of it. */
export interface Place {
  readonly registryId: number;
  readonly repository: string;
  readonly signal: AbortSignal;
  readonly isQuarantineEnabled: boolean;
}

/** Opens the manifest and, for an image, its config. What does not open or does not parse is left out. */
export async function describeManifest(
  context: CatalogContext,
  place: Place,
  record: ManifestRecord,
): Promise<ManifestDescription> {
  const document = await readDocument(context, place, record);
  if (document === undefined) return { imageSize: record.size_bytes };
  if (isIndexType(record.media_type)) return { imageSize: record.size_bytes, references: referencesOf(document) };
  const config = objectOf(document['config']);
  const sizes = [config, ...listOf(document['layers'])].map(({ size }) => (typeof size === 'number' ? size : 0));
  const imageSize = sizes.reduce((sum, size) => sum + size, 0) || record.size_bytes;
  const configMediaType = textOf(config['mediaType']);
  if (configMediaType === undefined) return { imageSize };
  return { imageSize, configMediaType, ...(await platformOf(context, place, config, configMediaType)) };
}

async function readDocument(
  context: CatalogContext,
  { registryId }: Place,
  record: ManifestRecord,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (record.size_bytes > maxDocumentBytes) return undefined;
  try {
    const { content } = await openManifest(context, registryId, record);
    return objectOf(JSON.parse(content.toString('utf8')));
  } catch {
    // A damaged manifest is still listed, so that it can be found and deleted.
    return undefined;
  }
}

async function platformOf(
  context: CatalogContext,
  { registryId, repository, signal }: Place,
  config: Readonly<Record<string, unknown>>,
  mediaType: string,
): Promise<Platform> {
  const digest = textOf(config['digest']) ?? '';
  if (!isDigest(digest) || !imageConfigs.has(mediaType)) return {};
  const known = context.platforms.get(digest);
  if (known !== undefined) return known;
  const bytes = await context.readBlob({ registryId, repository, digest, maxBytes: maxConfigBytes, signal });
  if (bytes === undefined) return {};
  const platform = parsePlatform(bytes);
  context.platforms.set(digest, platform);
  return platform;
}

function parsePlatform(bytes: Buffer): Platform {
  try {
    return pickPlatform(objectOf(JSON.parse(bytes.toString('utf8'))));
  } catch {
    return {};
  }
}

function referencesOf(document: Readonly<Record<string, unknown>>): NonNullable<ManifestDescription['references']> {
  return listOf(document['manifests']).flatMap((child) => {
    const digest = textOf(child['digest']);
    return digest === undefined ? [] : [{ digest, ...pickPlatform(objectOf(child['platform'])) }];
  });
}

function pickPlatform(from: Readonly<Record<string, unknown>>): Platform {
  const [architecture, os] = [textOf(from['architecture']), textOf(from['os'])];
  return { ...(architecture !== undefined && { architecture }), ...(os !== undefined && { os }) };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

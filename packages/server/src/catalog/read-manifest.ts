import { type Reference, parseReference } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { SealBrokenError, openBytes } from '../platform/sealing/index.ts';
import { findRepositoryId, requireReadable } from '../repositories/index.ts';
import type { CatalogContext } from './catalog-context.ts';
import type { OpenedManifest } from './manifest-cache.ts';
import { isBlocked } from './life.ts';
import { manifestSeal } from './model.ts';
import { type FoundManifest, type StoredManifest, findByDigest, findByTag, sealedContent } from './queries.ts';

export interface WantedManifest {
  readonly registryId: number;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  /** The registry quarantines, and whoever asks may not look into it. */
  readonly hidesQuarantined: boolean;
}

/** @throws MANIFEST_UNKNOWN, NAME_UNKNOWN when the repository does not exist, REGISTRY_DISALLOWED_OPERATION */
export async function requireManifest(
  context: CatalogContext,
  { registryId, repository, reference: text, hidesQuarantined }: WantedManifest,
): Promise<FoundManifest> {
  const reference = parseReference(text);
  const wanted = { registryId, repository, reference: text };
  const found = await (reference.kind === 'tag'
    ? findByTag(context.database.read, wanted)
    : findByDigest(context.database.read, wanted));
  if (found !== undefined) {
    if (isBlocked(found.quarantine_state, hidesQuarantined)) throw quarantined(repository, reference);
    requireReadable({ read_enabled: found.is_readable }, `the manifest ${text} of ${repository}`);
    return found;
  }
  if ((await findRepositoryId(context.database.read, registryId, repository)) === undefined) throw nameUnknown(repository);
  throw manifestUnknown(repository, reference);
}

/** By tag as if it were absent, by digest as it is: as in ACR (acr-api 6.5). */
export function quarantined(repository: string, reference: Reference): RegistryError {
  if (reference.kind === 'tag') return manifestUnknown(repository, reference);
  return new RegistryError('REGISTRY_DISALLOWED_OPERATION', {
    message: `the manifest ${reference.digest} of ${repository} is in quarantine: it can be pulled once its quarantineState is Passed`,
    detail: {},
  });
}

/** With the detail that ACR gives (acr-api 1.4). */
export function manifestUnknown(repository: string, reference: Reference): RegistryError {
  const name = reference.kind === 'tag' ? reference.tag : reference.digest;
  const detail = reference.kind === 'tag' ? { Tag: reference.tag } : { Name: repository, Revision: reference.digest };
  return new RegistryError('MANIFEST_UNKNOWN', { message: `the repository ${repository} has no manifest ${name}`, detail });
}

export function nameUnknown(repository: string): RegistryError {
  return new RegistryError('NAME_UNKNOWN', { message: `there is no repository ${repository}`, detail: { name: repository } });
}

export function headersOf(manifest: Pick<StoredManifest, 'digest' | 'media_type'>): Readonly<Record<string, string>> {
  return { 'Content-Type': manifest.media_type, 'Docker-Content-Digest': manifest.digest, ETag: `"${manifest.digest}"` };
}

/** The exact bytes that were pushed, with the headers of their answer. @throws CONTENT_DAMAGED, KEY_UNAVAILABLE */
export async function openManifest(
  context: CatalogContext,
  registryId: number,
  manifest: StoredManifest,
): Promise<OpenedManifest> {
  const cached = context.cache.get(registryId, manifest.digest);
  // A document without a mediaType of its own may have been pushed as another type into another repository.
  if (cached?.mediaType === manifest.media_type) return cached;
  const content = cached?.content ?? (await unseal(context, registryId, manifest));
  const opened = { mediaType: manifest.media_type, content, headers: headersOf(manifest) };
  context.cache.set(registryId, manifest.digest, opened);
  return opened;
}

/** @throws CONTENT_DAMAGED, MANIFEST_UNKNOWN when it was deleted just now, KEY_UNAVAILABLE */
export async function unseal(context: CatalogContext, registryId: number, manifest: StoredManifest): Promise<Buffer> {
  const sealed = await sealedContent(context.database.read, manifest.id);
  if (sealed === undefined)
    throw new RegistryError('MANIFEST_UNKNOWN', { message: `the manifest ${manifest.digest} was deleted just now` });
  const key = context.keys.get(registryId, sealed.data_key_id);
  try {
    return openBytes(key, manifestSeal(registryId, manifest.digest), sealed.sealed_content);
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    context.log.error({ err: error, digest: manifest.digest }, 'a stored manifest is damaged');
    throw new RegistryError('CONTENT_DAMAGED', { message: `the stored manifest ${manifest.digest} is damaged`, cause: error });
  }
}

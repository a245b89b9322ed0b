import { type Reference, parseReference } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { SealBrokenError, openBytes } from '../platform/sealing/index.ts';
import { findRepositoryId } from '../repositories/index.ts';
import type { CatalogContext } from './catalog-context.ts';
import { manifestSeal } from './model.ts';
import { type FoundManifest, findByDigest, findByTag, sealedContent } from './queries.ts';

/** @throws MANIFEST_UNKNOWN, or NAME_UNKNOWN when the repository does not exist */
export async function requireManifest(context: CatalogContext, registryId: number, repository: string, text: string): Promise<FoundManifest> {
  const reference = parseReference(text);
  const wanted = { registryId, repository, reference: text };
  const found = reference.kind === 'tag' ? await findByTag(context.database.read, wanted) : await findByDigest(context.database.read, wanted);
  if (found !== undefined) return found;
  throw await unknown(context, registryId, repository, reference);
}

/** The error for a reference that leads nowhere, in ACR's detail. */
export async function unknown(context: CatalogContext, registryId: number, repository: string, reference: Reference): Promise<RegistryError> {
  if ((await findRepositoryId(context.database.read, registryId, repository)) === undefined) return nameUnknown(repository);
  const name = reference.kind === 'tag' ? reference.tag : reference.digest;
  const detail = reference.kind === 'tag' ? { Tag: reference.tag } : { Name: repository, Revision: reference.digest };
  return new RegistryError('MANIFEST_UNKNOWN', { message: `the repository ${repository} has no manifest ${name}`, detail });
}

export function nameUnknown(repository: string): RegistryError {
  return new RegistryError('NAME_UNKNOWN', { message: `there is no repository ${repository}`, detail: { name: repository } });
}

/** The exact bytes that were pushed. @throws CONTENT_DAMAGED */
export async function manifestBytes(context: CatalogContext, registryId: number, manifest: FoundManifest): Promise<Buffer> {
  const cached = context.cache.get(registryId, manifest.digest);
  if (cached !== undefined) return cached;
  const sealed = await sealedContent(context.database.read, manifest.id);
  if (sealed === undefined) throw new RegistryError('MANIFEST_UNKNOWN', { message: `the manifest ${manifest.digest} was deleted just now` });
  try {
    const content = openBytes(context.keys.get(registryId, sealed.data_key_id), manifestSeal(registryId, manifest.digest), sealed.sealed_content);
    context.cache.set(registryId, manifest.digest, content);
    return content;
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    context.log.error({ err: error, digest: manifest.digest }, 'a stored manifest is damaged');
    throw new RegistryError('CONTENT_DAMAGED', { message: `the stored manifest ${manifest.digest} is damaged`, cause: error });
  }
}

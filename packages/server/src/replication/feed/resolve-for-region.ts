import type { Fact } from '@berth/api';
import { type Reference, maxManifestBytes, parseReference, parseRepositoryName } from '@berth/oci';
import { type Register, emptyRegister, findRegister, isTagThere, isThere } from '../../changes/index.ts';
import { RegistryError } from '../../errors/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { findPending } from '../merge/pending.ts';
import type { FeedContext } from './feed-context.ts';

interface Names {
  readonly registryId: number;
  readonly repository: string;
}

/** What a tag or digest names here, with its bytes, complete or not: the tag, if it was one, and the manifest. @throws MANIFEST_UNKNOWN, NAME_INVALID, TAG_INVALID, DIGEST_INVALID */
export async function resolveForRegion(
  context: FeedContext,
  registry: Registry,
  wanted: { readonly repository: string; readonly reference: string },
): Promise<readonly Fact[]> {
  const names: Names = { registryId: registry.id, repository: parseRepositoryName(wanted.repository) };
  const reference = parseReference(wanted.reference);
  const repository = await registerOf(context, names, 'repository', '');
  const tag = reference.kind === 'tag' ? await registerOf(context, names, 'tag', reference.tag) : undefined;
  const digest = reference.kind === 'tag' ? tag?.set.digest : reference.digest;
  if (digest === undefined) throw unknown(context, names, reference);
  const manifest = await registerOf(context, names, 'manifest', digest);
  const isHere = tag === undefined ? isThere(manifest, repository.deleted) : isTagThere(tag, manifest, repository.deleted);
  const content = isHere ? await contentOf(context, names, digest) : undefined;
  if (content === undefined) throw unknown(context, names, reference);
  const fact = { ...factOf('manifest', names, digest, manifest), content };
  return tag === undefined ? [fact] : [factOf('tag', names, wanted.reference, tag), fact];
}

async function registerOf({ database }: FeedContext, names: Names, kind: Fact['kind'], name: string): Promise<Register> {
  return (await findRegister(database.read, { ...names, kind, name })) ?? emptyRegister;
}

async function contentOf(context: FeedContext, names: Names, digest: string): Promise<Fact['content']> {
  const live = await context.catalog.forRegion({
    ...names,
    digests: [digest],
    maxBytes: maxManifestBytes,
    budgetBytes: maxManifestBytes,
  });
  const found = live.get(digest) ?? (await findPending(context, { ...names, reference: digest }));
  if (found?.bytes === undefined) return undefined;
  const { mediaType, sizeBytes, bytes } = found;
  return { mediaType, sizeBytes, bytes: bytes.toString('base64') };
}

function factOf(kind: 'manifest' | 'tag', { repository }: Names, name: string, register: Register): Fact {
  const { set, deleted, attributes } = register;
  const { digest, ...stamp } = set;
  return {
    kind,
    repository,
    name,
    set: digest === undefined ? stamp : { ...stamp, digest },
    ...(deleted.clock > 0 && { deleted }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
}

function unknown({ region }: FeedContext, { repository }: Names, reference: Reference): RegistryError {
  const name = reference.kind === 'tag' ? reference.tag : reference.digest;
  return new RegistryError('MANIFEST_UNKNOWN', { message: `the repository ${repository} has no manifest ${name} in ${region}` });
}

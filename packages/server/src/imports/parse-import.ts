import { type Digest, OciError, type RepositoryName, type Tag, parseDigest, parseRepositoryName, parseTag } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { type RegistryAddress, parseRegistryAddress } from '../platform/registry-client/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { ImportCredentials, ImportInput } from './model.ts';

/** In one import, tagged or not. */
const maxTargets = 50;
const maxCredentialLength = 32_768;

export type ParsedFrom =
  | { readonly registry: Registry }
  | { readonly address: RegistryAddress; readonly credentials: ImportCredentials | undefined };

export interface ImportTarget {
  readonly repository: RepositoryName;
  /** None: only the manifest is wanted. */
  readonly tags: readonly Tag[];
}

/** An import that says what it wants. */
export interface ParsedImport {
  readonly from: ParsedFrom;
  readonly repository: RepositoryName;
  /** A tag or a digest. */
  readonly reference: string;
  /** At least one; each repository once. */
  readonly targets: readonly [ImportTarget, ...ImportTarget[]];
  readonly mayMoveTags: boolean;
}

/** Checks all that can be checked without asking anybody. @throws INVALID_PARAMETER naming the field */
export function parseImport(input: ImportInput): ParsedImport {
  if (input.mode !== 'Force' && input.mode !== 'NoForce') throw invalid('mode', 'the mode is Force or NoForce');
  const from = parseFrom(input);
  const { name, tag, digest } = parseImage(input.sourceImage, 'source.sourceImage');
  const repository = naming('source.sourceImage', () =>
    parseRepositoryName('address' in from ? from.address.repositoryName(name) : name),
  );
  const targets = parseTargets(input, tag ?? 'latest');
  return { from, repository, reference: digest ?? tag ?? 'latest', targets, mayMoveTags: input.mode === 'Force' };
}

function parseFrom({ source }: ImportInput): ParsedFrom {
  if ('registry' in source) return source;
  const address = parseRegistryAddress(source.registryUri);
  if (address === undefined)
    throw invalid(
      'source.registryUri',
      'the source registry is a host name with an optional port, such as registry.example.com:5000',
    );
  const { credentials } = source;
  const { username, password } = credentials ?? {};
  if (username?.includes(':') === true || [username, password].some((text) => (text?.length ?? 0) > maxCredentialLength))
    throw invalid('source.credentials', 'the user name must not hold a colon, and neither may be longer than 32,768 characters');
  return { address, credentials };
}

interface Image {
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** `name[:tag][@digest]`; a digest counts more than the tag before it. */
function parseImage(text: string, target: string): Image {
  const [named = '', digest, ...rest] = text.split('@');
  const [name = '', tag, ...more] = named.split(':');
  if (rest.length > 0 || more.length > 0)
    throw invalid(target, `"${text.slice(0, 300)}" must be repository:tag or repository@digest, without a host name`);
  return naming(target, () => ({
    name,
    tag: tag === undefined ? undefined : parseTag(tag),
    digest: digest === undefined ? undefined : parseDigest(digest),
  }));
}

function parseTargets(input: ImportInput, sourceTag: string): ParsedImport['targets'] {
  const { targetTags, untaggedTargetRepositories: untagged } = input;
  if (targetTags.length + untagged.length > maxTargets)
    throw invalid(
      'targetTags',
      `an import has at most ${maxTargets} targets; this one names ${targetTags.length + untagged.length}`,
    );
  const tags = new Map<RepositoryName, Set<Tag>>();
  for (const text of targetTags) {
    const { name, tag, digest } = parseImage(text, 'targetTags');
    if (digest !== undefined) throw invalid('targetTags', 'a target is repository:tag; its digest is that of the source');
    const repository = naming('targetTags', () => parseRepositoryName(name));
    const named = tags.get(repository) ?? new Set();
    tags.set(repository, named.add(naming('targetTags', () => parseTag(tag ?? sourceTag))));
  }
  for (const text of untagged) {
    const repository = naming('untaggedTargetRepositories', () => parseRepositoryName(text));
    tags.set(repository, tags.get(repository) ?? new Set());
  }
  const [first, ...others] = [...tags].map(([repository, names]) => ({ repository, tags: [...names] }));
  if (first === undefined) throw invalid('targetTags', 'targetTags or untaggedTargetRepositories must say where the image goes');
  return [first, ...others];
}

/** @throws INVALID_PARAMETER instead of what the vocabulary says about a name */
function naming<T>(target: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof OciError ? invalid(target, error.message) : error;
  }
}

export function invalid(target: string, message: string, cause?: unknown): RegistryError {
  return new RegistryError('INVALID_PARAMETER', { target, message, cause });
}

import { Readable } from 'node:stream';
import type { Digest } from '@berth/oci';
import type { Blobs } from '../blobs/index.ts';
import type { Catalog } from '../catalog/index.ts';
import { RegistryError } from '../errors/index.ts';
import { type Patience, RemoteRepository } from '../platform/registry-client/index.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import type { ImportCredentials, ImportInput } from './model.ts';
import { type ParsedImport, invalid } from './parse-import.ts';

export interface SourceManifest {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  readonly bytes: Buffer;
}

/** One repository that is copied from. */
export interface Source {
  /** As it stands in messages. */
  readonly name: string;
  /** When it belongs to the registry that is copied to, its blobs can be linked. */
  readonly registryId: number | undefined;
  readonly repository: string;
  manifest(reference: string, signal: AbortSignal): Promise<SourceManifest>;
  blob(digest: Digest, sizeBytes: number, signal: AbortSignal): Readable;
  /** Of what claims to name a subject. */
  referrers(subject: Digest, signal: AbortSignal): AsyncIterable<readonly Digest[]>;
}

export interface SourceParts {
  readonly blobs: Pick<Blobs, 'open'>;
  readonly catalog: Pick<Catalog, 'read' | 'referrers'>;
  readonly patience: Patience;
  /** A registry of this deployment by the host name of its login server. */
  readonly findLocal: (host: string) => Registry | undefined;
  /** Whom credentials belong to in a registry of this deployment. @throws UNAUTHORIZED, TOOMANYREQUESTS */
  readonly signIn: (registry: Registry, credentials: ImportCredentials | undefined, clientAddress: string) => Promise<Principal>;
}

/** @throws INVALID_PARAMETER when the source may not be copied from */
export async function openSource(parts: SourceParts, input: ImportInput, wanted: ParsedImport): Promise<Source> {
  const { from, repository } = wanted;
  if ('registry' in from) return localSource(parts, from.registry, input, repository);
  const { address, credentials } = from;
  const local = parts.findLocal(address.host);
  if (local !== undefined) {
    await requirePull(parts, local, { credentials, clientAddress: input.clientAddress, repository });
    return localSource(parts, local, input, repository);
  }
  const remote = new RemoteRepository({ patience: parts.patience, address, repository, credentials });
  return {
    name: `${address.host}/${repository}`,
    registryId: undefined,
    repository,
    manifest: (reference, signal) => remote.manifest(reference, signal),
    blob: (digest, sizeBytes, signal) => remote.blob(digest, sizeBytes, signal),
    referrers: (subject, signal) => remote.referrers(subject, signal),
  };
}

/** A registry of our own is not asked over the network, but by the same rules. */
async function requirePull(
  { signIn }: SourceParts,
  registry: Registry,
  who: { readonly credentials: ImportCredentials | undefined; readonly clientAddress: string; readonly repository: string },
): Promise<void> {
  const { credentials, clientAddress, repository } = who;
  const denied = (cause?: unknown): RegistryError =>
    invalid(
      'source.credentials',
      `${registry.loginServer} does not let these credentials, or nobody, pull from ${repository}`,
      cause,
    );
  const principal = await signIn(registry, credentials, clientAddress).catch((error: unknown) => {
    throw error instanceof RegistryError && error.error === 'UNAUTHORIZED' ? denied(error) : error;
  });
  if (!principal.permits({ type: 'repository', name: repository, action: 'pull' })) throw denied();
}

function localSource(parts: SourceParts, registry: Registry, input: ImportInput, repository: string): Source {
  const { blobs, catalog } = parts;
  if (registry.id !== input.registry.id && !registry.policies.isExportEnabled)
    throw invalid('source', `the registry ${registry.name} does not let others import from it: its export policy is disabled`);
  const registryId = registry.id;
  const hidesQuarantined = registry.policies.isQuarantineEnabled;
  return {
    name: `${registry.loginServer}/${repository}`,
    registryId,
    repository,
    // Whoever may look into the quarantine still must not carry anything out of it.
    manifest: (reference) => catalog.read({ registryId, repository, reference, hidesQuarantined }),
    blob: (digest, _sizeBytes, signal) =>
      Readable.from(blobs.open({ registryId, repository, digest }, signal), { objectMode: false }),
    referrers: (subject) => catalog.referrers({ registryId, repository, subject }),
  };
}

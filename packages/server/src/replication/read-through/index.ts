import type { FactRequest } from '@berth/api';
import type { BlobElsewhere, BlobName, BlobsElsewhere } from '../../blobs/index.ts';
import type { CatalogElsewhere } from '../../catalog/index.ts';
import { requireReadable } from '../../repositories/index.ts';
import type { CopyContext } from '../copy/index.ts';
import { type Wanted, askPeers, usualAskMs } from './ask-peers.ts';
import { removeAwaited } from '../merge/remove-awaited.ts';
import { Asking } from './asking.ts';
import { bringNamed } from './bring.ts';
import { findAwaitedBlob, isTagAwaited } from './queries.ts';
import { readBlobElsewhere } from './read-blob.ts';
import { mayReadRepository, readPending } from './read-manifest.ts';

/** Misses that are asked for in other regions at once; somebody who guesses names must not make us guess for them. */
const maxQuestions = 64;

export interface ReadThrough {
  readonly catalog: CatalogElsewhere;
  readonly blobs: Pick<BlobsElsewhere, 'find'>;
}

/** Serves what is not complete here yet from the regions that have it. */
export function createReadThrough(context: CopyContext, { askMs = usualAskMs }: { readonly askMs?: number } = {}): ReadThrough {
  const asking = new Asking(maxQuestions);
  const ask = (name: Wanted): Promise<boolean> =>
    asking.ask(`${name.registryId}:${name.repository}:${name.reference}`, () => askPeers(context, name, askMs));
  return {
    catalog: {
      newer: async (name) => {
        const { registryId, repository, reference: tag } = name;
        if (!(await isTagAwaited(context.database.read, { registryId, repository, tag }))) return undefined;
        return readPending(context, name);
      },
      missing: async (name) =>
        (await readPending(context, name)) ?? ((await ask(name)) ? await readPending(context, name) : undefined),
      remove: async (name, request) =>
        (await removePending(context, name, request)) || ((await ask(name)) && (await removePending(context, name, request))),
      bring: (named, signal) => bringNamed(context, named, signal),
    },
    blobs: { find: (blob) => findBlob(context, blob) },
  };
}

function removePending(
  { database, clock, settings }: CopyContext,
  { registryId, repository, reference }: Wanted,
  request: FactRequest | undefined,
): Promise<boolean> {
  const now = clock.now();
  const of = reference.includes(':') ? { digest: reference } : { tag: reference };
  return database.write(removeAwaited, { registryId, repository, of, request, now, dueAt: now + settings.garbageDelayMs });
}

async function findBlob(context: CopyContext, { registryId, repository, digest }: BlobName): Promise<BlobElsewhere | undefined> {
  const awaited = await findAwaitedBlob(context.database.read, { registryId, repository, digest });
  const registry = context.registries.byId(registryId)?.name;
  if (awaited === undefined || registry === undefined) return undefined;
  const isReadable = await mayReadRepository(context, { registryId, repository });
  requireReadable({ read_enabled: isReadable ? 1 : 0 }, `the repository ${repository}`);
  const { size_bytes: sizeBytes, source } = awaited;
  const blob = { registryId, registry, repository, digest, sizeBytes, source };
  return {
    sizeBytes,
    isReachable: context.peers.all().some((peer) => peer.isUp),
    open: (signal) => readBlobElsewhere(context, blob, signal),
  };
}

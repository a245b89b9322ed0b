import type { FactRequest } from '@berth/api';
import { type Digest, parseDigest } from '@berth/oci';
import { manifestSeal } from '../../catalog/index.ts';
import { emptyRegister, findRegister, isThere, never } from '../../changes/index.ts';
import { openBytes } from '../../platform/sealing/index.ts';
import type { ReplicationContext } from '../replication-context.ts';
import { claimRows, dropNeed, failRow, giveBackRow, renewClaimRows } from './claims.ts';
import { missingOf } from './missing.ts';
import type { ClaimedManifest, MissingContent, PendingManifest } from './model.ts';
import { stateOfTag } from './tag-state.ts';

/** Who has claimed a manifest and says nothing for so long has lost it. */
const claimMs = 60_000;

type Context = Pick<ReplicationContext, 'database' | 'keys' | 'clock'>;

/**
 * Manifests of a registry that wait for content and whose turn has come, those that wait longest
 * or those that were told last. Prolong claims that take longer than `claimMs`.
 */
export async function claimPending(
  { database, clock }: Context,
  {
    registryId,
    limit,
    isNewestFirst = false,
  }: { readonly registryId: number; readonly limit: number; readonly isNewestFirst?: boolean },
): Promise<readonly ClaimedManifest[]> {
  const now = clock.now();
  const rows = await database.write(claimRows, { registryId, limit, isNewestFirst, now, claimedUntil: now + claimMs });
  return rows.map((row) => ({
    id: row.id,
    registryId,
    repository: row.repository,
    digest: parseDigest(row.digest),
    mediaType: row.media_type,
    sizeBytes: row.size_bytes,
    source: row.source,
    // Somebody may have pushed it here meanwhile.
    hasBytes: row.media_type !== '' || Boolean(row.is_live),
    attempts: row.attempts,
  }));
}

export async function renewClaims({ database, clock }: Context, ids: readonly number[]): Promise<void> {
  await database.write(renewClaimRows, { ids, claimedUntil: clock.now() + claimMs });
}

/** Gives a claim back, without anything having been done for it: its turn stays. */
export async function giveBackClaim({ database }: Context, id: number): Promise<void> {
  await database.write(giveBackRow, { id });
}

/** What it needs, in no order, and its repository does not have. Empty as long as its own bytes are not here. */
export async function listMissing(
  { database }: Context,
  pending: Pick<ClaimedManifest, 'id' | 'registryId' | 'repository'>,
): Promise<readonly MissingContent[]> {
  const rows = await missingOf(database.read, pending);
  return rows.map((row) => ({
    digest: parseDigest(row.digest),
    sizeBytes: row.size_bytes,
    isManifest: row.is_manifest === 1,
    isOptional: row.is_optional === 1,
  }));
}

/** Gives a claim back. `problem`: why it failed, fit for operators; null: it only has to wait for another manifest. */
export async function failPending(
  { database, clock }: Context,
  { id, problem, retryAfterMs }: { readonly id: number; readonly problem: string | null; readonly retryAfterMs: number },
): Promise<void> {
  await database.write(failRow, { id, problem, nextAt: clock.now() + retryAfterMs });
}

/** No region has it, and the manifest may do without: an optional blob, an image of an index that was deleted long ago. */
export async function dropMissing({ database }: Context, need: { readonly id: number; readonly digest: Digest }): Promise<void> {
  await database.write(dropNeed, need);
}

/**
 * What a tag or digest names that is not complete here yet; undefined: nothing, or what it names is here. Of a tag it goes
 * before what is here: it was set later.
 */
export async function findPending(
  context: Context,
  { registryId, repository, reference }: { readonly registryId: number; readonly repository: string; readonly reference: string },
): Promise<PendingManifest | undefined> {
  const digest = reference.includes(':') ? reference : await digestOfTag(context, { registryId, repository, tag: reference });
  if (digest === undefined) return undefined;
  const row = await context.database.read
    .selectFrom('pending_manifests')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (await isGone(context, { registryId, repository, digest })) return undefined;
  return {
    id: row.id,
    digest: parseDigest(row.digest),
    mediaType: row.media_type,
    sizeBytes: row.size_bytes,
    source: row.source,
    bytes:
      row.sealed_content === null
        ? undefined
        : openBytes(context.keys.get(registryId, row.data_key_id), manifestSeal(registryId, digest), row.sealed_content),
    // The text is ours.
    request: row.request === null ? undefined : (JSON.parse(row.request) as FactRequest),
  };
}

async function digestOfTag(
  { database }: Context,
  { registryId, repository, tag }: { readonly registryId: number; readonly repository: string; readonly tag: string },
): Promise<string | undefined> {
  const register = await findRegister(database.read, { registryId, repository, kind: 'tag', name: tag });
  const { digest } = register?.set ?? {};
  if (register === undefined || digest === undefined) return undefined;
  const manifest = await findRegister(database.read, { registryId, repository, kind: 'manifest', name: digest });
  const deleted = await findRegister(database.read, { registryId, repository, kind: 'repository', name: '' });
  const state = stateOfTag(register, manifest ?? emptyRegister, deleted?.deleted ?? never);
  return state === 'gone' ? undefined : digest;
}

/** It was deleted here just now, and is still noted. */
async function isGone(
  { database }: Context,
  { registryId, repository, digest }: { readonly registryId: number; readonly repository: string; readonly digest: string },
): Promise<boolean> {
  const manifest = await findRegister(database.read, { registryId, repository, kind: 'manifest', name: digest });
  const deleted = await findRegister(database.read, { registryId, repository, kind: 'repository', name: '' });
  return manifest === undefined || !isThere(manifest, deleted?.deleted ?? never);
}

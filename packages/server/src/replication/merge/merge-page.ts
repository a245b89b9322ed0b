import { createHash } from 'node:crypto';
import type { Fact } from '@berth/api';
import { OciError, digestAlgorithm, isDigest, maxManifestBytes } from '@berth/oci';
import { manifestSeal } from '../../catalog/index.ts';
import type { DataKey } from '../../platform/keys/index.ts';
import { sealBytes } from '../../platform/sealing/index.ts';
import { PeerError } from '../peers/model.ts';
import type { ReplicationContext } from '../replication-context.ts';
import { canBeMerged, isAhead } from './check-told.ts';
import { type FactsMerged, type FeedProgress, type ToldToMerge, mergeFacts } from './merge-facts.ts';
import type { MergedPage, PageToMerge, Told } from './model.ts';
import type { SealedManifest } from './pending-rows.ts';

type Context = Pick<ReplicationContext, 'database' | 'keys' | 'clock' | 'log' | 'catalog' | 'bells' | 'settings'>;

/**
 * Takes over what another region told, any number of times and in any order: checks it, seals manifests with the keys of this
 * region, and joins it in one transaction. Bytes that are not what their digest says are left out; what they belong to is
 * known from then on, and its bytes are asked for again.
 * @throws PeerError `clock` for what is said to have been done in the future
 */
export async function mergePage(context: Context, page: PageToMerge): Promise<MergedPage> {
  return (await mergeWithProgress(context, page)).merged;
}

/** The same, and writes in the same transaction how far the feed is read. False: another process follows it now. */
export async function mergeWithProgress(
  context: Context,
  page: PageToMerge,
  feed?: FeedProgress,
): Promise<{ readonly merged: MergedPage; readonly isHeld: boolean }> {
  const { registryId, source, toldAt, isSnapshot = false } = page;
  const { told, damaged } = await prepare(context, page);
  const now = context.clock.now();
  const done: FactsMerged = await context.database.write(mergeFacts, {
    registryId,
    source,
    told,
    toldAt,
    isSnapshot,
    damaged: damaged.length,
    ...(feed !== undefined && { feed }),
    now,
    dueAt: now + context.settings.garbageDelayMs,
  });
  if (done.isLogged) context.bells.changed(registryId);
  if (done.areTagsMoved) context.bells.tagsMoved(registryId);
  if (done.pending > 0 || told.some(({ content }) => content !== undefined)) context.bells.pending(registryId);
  return { merged: { advanced: done.advanced, pending: done.pending, conflicts: done.conflicts, damaged }, isHeld: done.isHeld };
}

async function prepare(
  context: Context,
  { registryId, source, told }: PageToMerge,
): Promise<{ readonly told: readonly ToldToMerge[]; readonly damaged: readonly Fact[] }> {
  const skew = { now: context.clock.now(), maxSkewMs: context.settings.maxClockSkewMs };
  if (told.some(({ fact }) => isAhead(fact, skew)))
    throw new PeerError('clock', {
      region: source,
      message: `${source} tells of something that was done in the future: the clock of a region is, or was, wrong`,
      remedy: 'Set the clocks of all regions (NTP); what was done in the future is taken once its time has come.',
    });
  const key = context.keys.current(registryId);
  const damaged: Fact[] = [];
  const prepared: ToldToMerge[] = [];
  for (const one of told) {
    if (!canBeMerged(one.fact)) {
      damaged.push(one.fact);
      continue;
    }
    const { content, isDamaged } = await contentOf(context, key, one);
    if (isDamaged) damaged.push(one.fact);
    prepared.push({ ...withoutBytes(one), ...(content !== undefined && { content }) });
  }
  if (damaged.length > 0)
    context.log.warn(
      { peer: source, registryId, facts: damaged.length },
      'a region told what is not as its digest or form promises',
    );
  return { told: prepared, damaged };
}

function withoutBytes({ action, isVisible, fact }: Told): Told {
  if (fact.content?.bytes === undefined) return { action, isVisible, fact };
  const { bytes: _, ...content } = fact.content;
  return { action, isVisible, fact: { ...fact, content } };
}

interface Content {
  readonly content?: SealedManifest;
  readonly isDamaged: boolean;
}

async function contentOf(context: Context, key: DataKey, { fact }: Told): Promise<Content> {
  const { kind, name: digest, content } = fact;
  if (kind !== 'manifest' || content?.bytes === undefined || !isDigest(digest)) return { isDamaged: false };
  const bytes = Buffer.from(content.bytes, 'base64');
  const actual = createHash(digestAlgorithm(digest)).update(bytes).digest('hex');
  if (bytes.length > maxManifestBytes || !digest.endsWith(`:${actual}`)) return { isDamaged: true };
  const facts = await context.catalog.inspect(bytes, content.mediaType).catch((error: unknown) => {
    // Nobody could have pushed it; what it belongs to waits for bytes that are sound.
    if (error instanceof OciError) return undefined;
    throw error;
  });
  if (facts === undefined) return { isDamaged: true };
  const blobs = facts.blobs.map((blob, at) => need(blob, { sizeBytes: facts.blobSizesBytes[at] }));
  const optional = facts.optionalBlobs.map((blob, at) =>
    need(blob, { sizeBytes: facts.optionalBlobSizesBytes[at], isOptional: true }),
  );
  const children = facts.children.map((child) => need(child, { isManifest: true }));
  return {
    isDamaged: false,
    content: {
      mediaType: facts.mediaType,
      sizeBytes: bytes.length,
      dataKeyId: key.id,
      sealedContent: sealBytes(key, manifestSeal(key.registryId, digest), bytes),
      needs: [...blobs, ...optional, ...children],
    },
  };
}

function need(
  digest: string,
  {
    sizeBytes = 0,
    isManifest = false,
    isOptional = false,
  }: { sizeBytes?: number | undefined; isManifest?: boolean; isOptional?: boolean },
): SealedManifest['needs'][number] {
  return { digest, sizeBytes, isManifest, isOptional };
}

import type { FactRequest } from '@berth/api';
import { placeAttributes, placeManifest, placeTag } from '../../catalog/index.ts';
import { changeRow, isThere, timeOf } from '../../changes/index.ts';
import { type WriteQueries, defineTransaction, lockRows } from '../../platform/database/index.ts';
import { missingOf } from './missing.ts';
import type { Completion } from './model.ts';
import { wakeParents } from './pending-rows.ts';
import { holding } from './project.ts';
import { RepositoryRegisters } from './repository-registers.ts';
import { type Scene, lockRepository, repositoryRegister } from './scene.ts';
import { stateOfTag } from './tag-state.ts';

export interface CompleteManifest {
  readonly id: number;
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly artifactType: string | null;
  readonly subjectDigest: string | null;
  /** What it is and needs; nothing as long as its bytes are not here. With the same data key as the manifest. */
  readonly sealedAnnotations: Uint8Array | null;
  readonly blobs: readonly string[];
  readonly optionalBlobs: readonly string[];
  readonly children: readonly string[];
  readonly now: number;
  readonly dueAt: number;
}

export interface Completed {
  readonly completion: Completion;
  /** Pending manifests that may be complete now. */
  readonly parents: readonly number[];
  readonly areTagsMoved: boolean;
}

/**
 * Makes a pending manifest a manifest of this region, when all that it needs is here: with the tags that name it by now, the
 * attributes that hold by now, and word to webhooks and other regions.
 */
export const completeManifest = defineTransaction(
  'replication.complete-manifest',
  async (tx, input: CompleteManifest): Promise<Completed> => {
    const { registryId, repository, digest, now, dueAt } = input;
    const { id: repositoryId } = await lockRepository(tx, { registryId, repository }, { isMade: true, now });
    const registers = new RepositoryRegisters(tx, registryId, repository);
    const scene: Scene = { tx, registryId, repository, repositoryId, registers, now, dueAt };
    await registers.load('repository', ['']);
    await registers.load('manifest', [digest]);
    const pending = await lockPending(tx, input.id);
    if (pending?.sealed_content === undefined) return { completion: 'gone', parents: [], areTagsMoved: false };
    if (!isThere(registers.get('manifest', digest), repositoryRegister(scene).deleted)) {
      await forget(tx, input.id);
      return { completion: 'gone', parents: [], areTagsMoved: false };
    }
    // Meanwhile somebody may have pushed it here: then its tags are all that is left to do.
    if (!(await isLive(scene, digest))) {
      if (pending.sealed_content === null || (await missingOf(tx, input)).length > 0)
        return { completion: 'incomplete', parents: [], areTagsMoved: false };
      await place(scene, input, { ...pending, sealed_content: pending.sealed_content });
    }
    const tags = await placeTags(scene, digest);
    await forget(tx, input.id);
    await tell(scene, { pending, digest, tags });
    return { completion: 'complete', parents: await wakeParents(scene, digest), areTagsMoved: tags.length > 0 };
  },
);

type Pending = NonNullable<Awaited<ReturnType<typeof lockPending>>>;

function lockPending(tx: WriteQueries, id: number) {
  return lockRows(
    tx
      .selectFrom('pending_manifests')
      .select(['media_type', 'size_bytes', 'data_key_id', 'sealed_content', 'request', 'is_news'])
      .where('id', '=', id),
  ).executeTakeFirst();
}

async function isLive({ tx, repositoryId = 0 }: Scene, digest: string): Promise<boolean> {
  const row = await tx
    .selectFrom('manifests')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row !== undefined;
}

async function forget(tx: WriteQueries, id: number): Promise<void> {
  await tx.deleteFrom('pending_manifests').where('id', '=', id).execute();
}

async function place(
  scene: Scene,
  { digest, artifactType, subjectDigest, sealedAnnotations, blobs, optionalBlobs, children }: CompleteManifest,
  pending: Pending & { readonly sealed_content: Uint8Array },
): Promise<void> {
  const { tx, registryId, repository, registers, now } = scene;
  await placeManifest(tx, {
    registryId,
    repository,
    digest,
    mediaType: pending.media_type,
    artifactType,
    subjectDigest,
    sizeBytes: pending.size_bytes,
    dataKeyId: pending.data_key_id,
    sealedContent: pending.sealed_content,
    sealedAnnotations,
    blobs,
    optionalBlobs,
    children,
    pushedAt: timeOf(registers.get('manifest', digest).set.clock),
    now,
  });
  const values = holding(scene, registers.get('manifest', digest));
  if (Object.keys(values).length > 0) await placeAttributes(tx, { registryId, repository, of: { digest }, values, now });
  const ofRepository = holding(scene, repositoryRegister(scene));
  if (Object.keys(ofRepository).length > 0)
    await placeAttributes(tx, { registryId, repository, of: undefined, values: ofRepository, now });
}

/** Points the tags that waited for it. Returns their names. */
async function placeTags(scene: Scene, digest: string): Promise<readonly string[]> {
  const { tx, registryId, repository, registers, now } = scene;
  const placed: string[] = [];
  for (const name of await registers.loadTagsOf(digest)) {
    const register = registers.get('tag', name);
    if (stateOfTag(register, registers.get('manifest', digest), repositoryRegister(scene).deleted) !== 'shown') continue;
    await placeTag(tx, { registryId, repository, tag: name, digest, values: holding(scene, register), now });
    placed.push(name);
  }
  return placed;
}

/** With the stamps of where it was done: what another region has already, it passes over. */
async function tell(
  { tx, registryId, repository, registers, now }: Scene,
  { pending, digest, tags }: { readonly pending: Pending; readonly digest: string; readonly tags: readonly string[] },
): Promise<void> {
  const { media_type: mediaType, size_bytes: sizeBytes } = pending;
  const content = mediaType === '' ? {} : { content: { mediaType, sizeBytes } };
  // The text is ours.
  const asked = pending.request === null ? {} : { request: JSON.parse(pending.request) as FactRequest };
  const isNews = pending.is_news === 1;
  const { clock, origin } = registers.get('manifest', digest).set;
  const rows = [
    changeRow({
      registryId,
      stamp: { clock, origin },
      action: 'push',
      fact: { kind: 'manifest', repository, name: digest, set: { clock, origin }, ...content, ...asked },
      isVisible: isNews && tags.length === 0,
      now,
    }),
  ];
  for (const name of tags) {
    const { set } = registers.get('tag', name);
    const stamp = { clock: set.clock, origin: set.origin };
    const fact = { kind: 'tag', repository, name, set: { ...stamp, digest }, ...content, ...asked } as const;
    rows.push(changeRow({ registryId, stamp, action: 'tag', fact, isVisible: isNews, now }));
  }
  for (let start = 0; start < rows.length; start += rowsPerStatement)
    await tx
      .insertInto('changes')
      .values(rows.slice(start, start + rowsPerStatement))
      .execute();
}

const rowsPerStatement = 200;

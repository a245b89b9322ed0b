import type { FactRequest } from '@berth/api';
import type { WriteQueries } from '../../platform/database/index.ts';
import type { Scene } from './scene.ts';

/** The bytes of a manifest, checked and sealed, and what they refer to. Plain data: it travels to the writer thread. */
export interface SealedManifest {
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly dataKeyId: string;
  readonly sealedContent: Uint8Array;
  readonly needs: readonly {
    readonly digest: string;
    readonly sizeBytes: number;
    readonly isManifest: boolean;
    readonly isOptional: boolean;
  }[];
}

export interface ManifestToAwait {
  readonly digest: string;
  /** Undefined: its bytes have to be asked for. */
  readonly content: SealedManifest | undefined;
  readonly source: string;
  readonly toldAt: number;
  readonly isNews: boolean;
  readonly request: FactRequest | undefined;
}

/** Notes that a manifest is to be brought here. True: it was not noted before. */
export async function awaitManifest(scene: Scene, manifest: ManifestToAwait): Promise<boolean> {
  const { tx, registryId, repository, now } = scene;
  const { digest, content, source, toldAt, isNews, request } = manifest;
  const known = await tx
    .selectFrom('pending_manifests')
    .select(['id', 'media_type', 'is_news'])
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .executeTakeFirst();
  const asked = request === undefined ? {} : { request: JSON.stringify(request) };
  if (known === undefined) {
    const { id } = await tx
      .insertInto('pending_manifests')
      .values({
        registry_id: registryId,
        repository,
        digest,
        ...columnsOf(content),
        source,
        request: null,
        ...asked,
        is_news: isNews ? 1 : 0,
        told_at: toldAt,
        next_at: now,
        claimed_until: null,
        problem: null,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await insertNeeds(scene, id, content);
    return true;
  }
  const isFilled = content !== undefined && known.media_type === '';
  if (!isFilled && (!isNews || known.is_news === 1)) return false;
  await tx
    .updateTable('pending_manifests')
    .set({ ...(isFilled && { ...columnsOf(content), source, next_at: now }), ...(isNews && { is_news: 1, ...asked }) })
    .where('id', '=', known.id)
    .execute();
  if (isFilled) await insertNeeds(scene, known.id, content);
  return false;
}

function columnsOf(content: SealedManifest | undefined) {
  return {
    media_type: content?.mediaType ?? '',
    size_bytes: content?.sizeBytes ?? 0,
    data_key_id: content?.dataKeyId ?? '',
    sealed_content: content?.sealedContent ?? null,
  };
}

const rowsPerStatement = 200;

async function insertNeeds(
  { tx, registryId, repository }: Scene,
  pendingId: number,
  content: SealedManifest | undefined,
): Promise<void> {
  const rows = (content?.needs ?? []).map(({ digest, sizeBytes, isManifest, isOptional }) => ({
    pending_id: pendingId,
    registry_id: registryId,
    repository,
    digest,
    size_bytes: sizeBytes,
    is_manifest: isManifest ? 1 : 0,
    is_optional: isOptional ? 1 : 0,
  }));
  for (let start = 0; start < rows.length; start += rowsPerStatement)
    await tx
      .insertInto('pending_blobs')
      .values(rows.slice(start, start + rowsPerStatement))
      .onConflict((conflict) => conflict.columns(['pending_id', 'digest']).doNothing())
      .execute();
}

/** Nobody waits for it any more. */
export async function stopAwaiting({ tx, registryId, repository }: Scene, digest: string): Promise<void> {
  await tx
    .deleteFrom('pending_manifests')
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .execute();
}

/** Lets those that need this manifest be looked at now. Returns their ids. */
export async function wakeParents(scene: Scene, digest: string): Promise<readonly number[]> {
  const { tx, registryId, repository, now } = scene;
  const rows = await tx
    .updateTable('pending_manifests')
    .set({ next_at: now })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('pending_blobs')
        .select('pending_id')
        .where('registry_id', '=', registryId)
        .where('repository', '=', repository)
        .where('digest', '=', digest)
        .where('is_manifest', '=', 1),
    )
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Digests of a repository that are awaited. */
export async function awaitedDigests(
  tx: WriteQueries,
  { registryId, repository }: Pick<Scene, 'registryId' | 'repository'>,
): Promise<readonly string[]> {
  const rows = await tx
    .selectFrom('pending_manifests')
    .select('digest')
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .execute();
  return rows.map(({ digest }) => digest);
}

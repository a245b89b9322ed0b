import { linkSubject } from '../blobs/index.ts';
import type { WriteQueries } from '../platform/database/index.ts';
import { addCandidates } from '../platform/garbage/candidates.ts';
import { changeManifestBytes } from '../platform/stored-bytes/index.ts';
import { type Place, keepManifest, keepTag } from './bin/put-into-bin.ts';
import { lockTag, markUntagged } from './untagged.ts';

/** Where something is taken away. The caller counts it out, last. */
export interface TakeFrom extends Place {
  readonly repositoryId: number;
  /** What goes can be restored for a while. */
  readonly isSoft: boolean;
}

export interface TakenTag {
  readonly name: string;
  readonly delete_enabled: number;
  readonly write_enabled: number;
}

/** Takes a manifest away that is locked for it (`lockManifest`), with its tags, which are returned as they were. */
export async function takeLiveManifest(
  tx: WriteQueries,
  {
    dueAt,
    isSoft,
    ...from
  }: TakeFrom & {
    /** When collection should look at the blobs that may have lost their last use (ms). */
    readonly dueAt: number;
  },
  manifest: { readonly id: number; readonly size_bytes: number },
): Promise<readonly TakenTag[]> {
  if (isSoft) await keepManifest(tx, from, manifest.id);
  const tags = await tx
    .deleteFrom('tags')
    .where('manifest_id', '=', manifest.id)
    .returning(['name', 'delete_enabled', 'write_enabled'])
    .execute();
  const used = await tx.selectFrom('manifest_blobs').select('blob_id').where('manifest_id', '=', manifest.id).execute();
  await tx.deleteFrom('manifests').where('id', '=', manifest.id).execute();
  await changeManifestBytes(tx, from.registryId, -manifest.size_bytes);
  const subjects = used.map((row) => linkSubject(from.repositoryId, row.blob_id));
  await addCandidates(tx, 'repository-blob', subjects, dueAt);
  return tags;
}

/** Takes a tag off and returns it as it was; its manifest stays. Undefined: there is none. */
export async function takeLiveTag(tx: WriteQueries, from: TakeFrom, name: string): Promise<TakenTag | undefined> {
  const { repositoryId, isSoft, now } = from;
  await lockTag(tx, repositoryId, name);
  const taken = await tx
    .deleteFrom('tags')
    .where('repository_id', '=', repositoryId)
    .where('name', '=', name)
    .returning(['name', 'manifest_id', 'delete_enabled', 'write_enabled'])
    .executeTakeFirst();
  if (taken === undefined) return undefined;
  if (isSoft) await keepTag(tx, from, { name, digest: await digestOf(tx, taken.manifest_id) });
  await markUntagged(tx, [taken.manifest_id], now);
  return taken;
}

async function digestOf(tx: WriteQueries, manifestId: number): Promise<string> {
  const { digest } = await tx.selectFrom('manifests').select('digest').where('id', '=', manifestId).executeTakeFirstOrThrow();
  return digest;
}

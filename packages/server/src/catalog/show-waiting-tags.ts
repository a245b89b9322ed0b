import { type Register, findRegister, isTagThere, never, registerOf, tagKind, valuesThatHold } from '../changes/index.ts';
import { type RegisterRow, type WriteQueries, prepareRead } from '../platform/database/index.ts';
import { placeTag } from './placing/place-tag.ts';

export interface MadeManifest {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  /** Of the manifest. */
  readonly register: Register;
  readonly now: number;
}

/**
 * Tags that another region pointed at a manifest that was made here before it came from there: they show it from now on. Otherwise
 * they would keep what they showed before when it is deleted again.
 */
export async function showWaitingTags(tx: WriteQueries, manifest: MadeManifest): Promise<void> {
  const { registryId, repository, digest, register, now } = manifest;
  const rows = await notShowing.all(tx, { registryId, repository, digest, deletedClock: register.deleted.clock });
  if (rows.length === 0) return;
  const ofRepository = await findRegister(tx, { registryId, repository, kind: 'repository', name: '' });
  const deleted = ofRepository?.deleted ?? never;
  for (const row of rows) {
    const tag = registerOf(row);
    if (!isTagThere(tag, register, deleted)) continue;
    await placeTag(tx, { registryId, repository, tag: row.name, digest, values: valuesThatHold(tag, deleted), now });
  }
}

/** Those set before its last deletion are left out: of an image that is tagged anew each day there are many. */
const notShowing = prepareRead<
  Readonly<{ registryId: number; repository: string; digest: string; deletedClock: number }>,
  RegisterRow
>((db, { registryId, repository, digest, deletedClock }) =>
  db
    .selectFrom('registers')
    .selectAll('registers')
    .where('registers.registry_id', '=', registryId)
    .where('registers.repository', '=', repository)
    .where('registers.kind', '=', tagKind)
    .where('registers.digest', '=', digest)
    .where('registers.set_clock', '>=', deletedClock)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('repositories')
            .innerJoin('tags', 'tags.repository_id', 'repositories.id')
            .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
            .select('tags.name')
            .where('repositories.registry_id', '=', registryId)
            .where('repositories.name', '=', repository)
            .where('repositories.deleted_at', 'is', null)
            .whereRef('tags.name', '=', 'registers.name')
            .where('manifests.digest', '=', digest),
        ),
      ),
    )
    .orderBy('registers.name'),
);

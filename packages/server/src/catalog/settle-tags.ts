import { type Register, attributesThatHold, findRegister, isTagThere, never, registerOf } from '../changes/index.ts';
import type { WriteQueries } from '../platform/database/index.ts';
import { findRepositoryId } from '../repositories/index.ts';
import { placeTag } from './placing/place-tag.ts';
import { takeTag } from './placing/take.ts';

/** Tags that another region pointed at a manifest while it was not here, and what becomes of them when it is made or deleted here. */

export interface SettledManifest {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  /** Of the manifest, after what was done. */
  readonly register: Register;
  readonly now: number;
}

/** It was pushed here before it came from there: they show it from now on. */
export async function showWaitingTags(tx: WriteQueries, manifest: SettledManifest): Promise<void> {
  const { registryId, repository, digest, register, now } = manifest;
  const repositoryId = await findRepositoryId(tx, registryId, repository);
  if (repositoryId === undefined) return;
  const rows = await tagsNaming(tx, manifest)
    .selectAll('registers')
    .where('set_clock', '>=', register.deleted.clock)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('tags')
            .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
            .select('tags.name')
            .where('tags.repository_id', '=', repositoryId)
            .whereRef('tags.name', '=', 'registers.name')
            .where('manifests.digest', '=', digest),
        ),
      ),
    )
    .execute();
  if (rows.length === 0) return;
  const ofRepository = await findRegister(tx, { registryId, repository, kind: 'repository', name: '' });
  const deleted = ofRepository?.deleted ?? never;
  for (const row of rows) {
    const tag = registerOf(row);
    if (!isTagThere(tag, register, deleted)) continue;
    const held = Object.entries(attributesThatHold(tag, deleted));
    const values = Object.fromEntries(held.map(([name, { value }]) => [name, value]));
    await placeTag(tx, { registryId, repository, tag: row.name, digest, values, now });
  }
}

/** It was deleted here: those that were on their way to it go, too, whatever they still show. */
export async function dropWaitingTags(tx: WriteQueries, manifest: SettledManifest): Promise<void> {
  const { registryId, repository, now } = manifest;
  const repositoryId = await findRepositoryId(tx, registryId, repository);
  if (repositoryId === undefined) return;
  const rows = await tagsNaming(tx, manifest)
    .innerJoin('tags', 'tags.name', 'registers.name')
    .select('registers.name')
    .where('tags.repository_id', '=', repositoryId)
    .execute();
  for (const { name } of rows) await takeTag(tx, { registryId, repository, tag: name, now });
}

/** Registers of tags that were last pointed at it, by whomever. */
function tagsNaming(tx: WriteQueries, { registryId, repository, digest }: SettledManifest) {
  return tx
    .selectFrom('registers')
    .where('registers.registry_id', '=', registryId)
    .where('registers.repository', '=', repository)
    .where('registers.kind', '=', 'tag')
    .where('registers.digest', '=', digest)
    .orderBy('registers.name');
}

import type { Fact } from '@berth/api';
import { type Database, type ReadQueries, prepareRead } from '../../platform/database/index.ts';

/** As which webhooks keep their place in the change log. */
export const consumer = 'webhooks';

export async function cursorIn(db: ReadQueries, registryId: number): Promise<number> {
  const row = await db
    .selectFrom('change_cursors')
    .select('sequence')
    .where('registry_id', '=', registryId)
    .where('consumer', '=', consumer)
    .executeTakeFirst();
  return row?.sequence ?? 0;
}

/** Registries whose logs have grown since a sequence, and the last one there is. */
export async function grownSince(
  { read }: Database,
  sequence: number,
): Promise<{ readonly registryIds: readonly number[]; readonly last: number }> {
  const rows = await read
    .selectFrom('changes')
    .select(['registry_id', ({ fn }) => fn.max<number | string>('sequence').as('last')])
    .where('sequence', '>', sequence)
    .groupBy('registry_id')
    .execute();
  const last = Math.max(sequence, ...rows.map((row) => Number(row.last)));
  return { registryIds: rows.map(({ registry_id }) => registry_id), last };
}

export interface LiveManifest {
  readonly media_type: string;
  readonly artifact_type: string | null;
  readonly size_bytes: number;
  readonly quarantine_state: 'Passed' | 'Failed' | null;
}

export const liveManifest = prepareRead<{ registryId: number; repository: string; digest: string }, LiveManifest>(
  (db, { registryId, repository, digest }) =>
    db
      .selectFrom('repositories')
      .innerJoin('manifests', 'manifests.repository_id', 'repositories.id')
      .select(['manifests.media_type', 'manifests.artifact_type', 'manifests.size_bytes', 'manifests.quarantine_state'])
      .where('repositories.registry_id', '=', registryId)
      .where('repositories.name', '=', repository)
      .where('repositories.deleted_at', 'is', null)
      .where('manifests.digest', '=', digest),
);

/** More tags of one manifest than anybody is told of. */
const maxTags = 1000;

/** The tags that name a manifest now. */
export async function tagsOf(
  db: ReadQueries,
  { registryId, repository, digest }: { readonly registryId: number; readonly repository: string; readonly digest: string },
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('repositories')
    .innerJoin('manifests', 'manifests.repository_id', 'repositories.id')
    .innerJoin('tags', 'tags.manifest_id', 'manifests.id')
    .select('tags.name')
    .where('repositories.registry_id', '=', registryId)
    .where('repositories.name', '=', repository)
    .where('repositories.deleted_at', 'is', null)
    .where('manifests.digest', '=', digest)
    .orderBy('tags.name')
    .limit(maxTags)
    .execute();
  return rows.map(({ name }) => name);
}

/** The tags that went with a manifest or were set with it: what the log has of the same stamp. */
export async function tagsAtClock(
  db: ReadQueries,
  of: { readonly registryId: number; readonly repository: string; readonly clock: number; readonly origin: string },
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('changes')
    .select('fact')
    .where('registry_id', '=', of.registryId)
    .where('clock', '=', of.clock)
    .where('origin', '=', of.origin)
    .where('repository', '=', of.repository)
    .where('action', '=', 'untag')
    .limit(maxTags)
    .execute();
  return rows.map(({ fact }) => (JSON.parse(fact) as { readonly name: string }).name);
}

/** Whether a manifest was let out of quarantine after something that the log has: then it was in quarantine before. */
export async function isPassedAfter(
  db: ReadQueries,
  of: { readonly registryId: number; readonly repository: string; readonly digest: string; readonly sequence: number },
): Promise<boolean> {
  const rows = await db
    .selectFrom('changes')
    .select('fact')
    .where('registry_id', '=', of.registryId)
    .where('sequence', '>', of.sequence)
    .where('repository', '=', of.repository)
    .where('action', '=', 'attributes')
    .execute();
  return rows.some(({ fact }) => {
    const { kind, name, attributes } = JSON.parse(fact) as Fact;
    return kind === 'manifest' && name === of.digest && attributes?.quarantine_state?.value === 'Passed';
  });
}

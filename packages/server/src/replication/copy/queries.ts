import { type ReadQueries, prepareRead } from '../../platform/database/index.ts';

/** The upload that a blob is copied into; undefined: none was begun. */
export async function findCopy(
  db: ReadQueries,
  { registryId, repository, digest }: { readonly registryId: number; readonly repository: string; readonly digest: string },
): Promise<string | undefined> {
  const row = await db
    .selectFrom('region_copies')
    .select('upload_id')
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row?.upload_id;
}

const due = prepareRead<{ registryId: number; now: number }, { readonly id: number }>((db, { registryId, now }) =>
  db
    .selectFrom('pending_manifests')
    .select('id')
    .where('registry_id', '=', registryId)
    .where('next_at', '<=', now)
    .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<=', now)]))
    .limit(1),
);

/** Whether the turn of a pending manifest has come that nobody works on. */
export async function isAnyDue(db: ReadQueries, registryId: number, now: number): Promise<boolean> {
  return (await due.first(db, { registryId, now })) !== undefined;
}

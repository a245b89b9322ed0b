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

/** A blob with a part that does not open, in one of the repositories that have it. */
export interface DamagedBlob {
  readonly repository: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

export function damagedBlobs(db: ReadQueries, registryId: number, limit: number): Promise<DamagedBlob[]> {
  return db
    .selectFrom('damage')
    .innerJoin('parts', 'parts.name', 'damage.part_name')
    .innerJoin('blobs', 'blobs.id', 'parts.blob_id')
    .innerJoin('repository_blobs', 'repository_blobs.blob_id', 'blobs.id')
    .innerJoin('repositories', 'repositories.id', 'repository_blobs.repository_id')
    .select(['blobs.digest', 'blobs.size_bytes as sizeBytes', (eb) => eb.fn.min<string>('repositories.name').as('repository')])
    .where('damage.registry_id', '=', registryId)
    .where('repositories.deleted_at', 'is', null)
    .groupBy(['blobs.digest', 'blobs.size_bytes'])
    .orderBy('blobs.digest')
    .limit(limit)
    .execute();
}

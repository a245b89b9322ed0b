import { type Register, isThere, never, registerOf } from '../../changes/index.ts';
import type { ReadQueries, RegisterRow, WriteQueries } from '../../platform/database/index.ts';

export interface PendingPlace {
  readonly id: number;
  readonly registryId: number;
  readonly repository: string;
}

export interface MissingRow {
  readonly digest: string;
  readonly size_bytes: number;
  readonly is_manifest: number;
  readonly is_optional: number;
}

/**
 * What a pending manifest needs and its repository does not have. A manifest of an index that is known to be deleted is not
 * missed: where the index was pushed it was there, and its deletion does not undo the index.
 */
export async function missingOf(
  db: ReadQueries | WriteQueries,
  { id, registryId, repository }: PendingPlace,
): Promise<MissingRow[]> {
  const absent = await db
    .selectFrom('pending_blobs')
    .select(['digest', 'size_bytes', 'is_manifest', 'is_optional'])
    .where('pending_id', '=', id)
    .where(({ not, exists, selectFrom, or, and, eb }) =>
      or([
        and([
          eb('is_manifest', '=', 0),
          not(
            exists(
              selectFrom('repositories')
                .innerJoin('repository_blobs', 'repository_blobs.repository_id', 'repositories.id')
                .innerJoin('blobs', 'blobs.id', 'repository_blobs.blob_id')
                .select('blobs.id')
                .where('repositories.registry_id', '=', registryId)
                .where('repositories.name', '=', repository)
                .where('repositories.deleted_at', 'is', null)
                .where('blobs.registry_id', '=', registryId)
                .whereRef('blobs.digest', '=', 'pending_blobs.digest'),
            ),
          ),
        ]),
        and([
          eb('is_manifest', '=', 1),
          not(
            exists(
              selectFrom('repositories')
                .innerJoin('manifests', 'manifests.repository_id', 'repositories.id')
                .select('manifests.id')
                .where('repositories.registry_id', '=', registryId)
                .where('repositories.name', '=', repository)
                .where('repositories.deleted_at', 'is', null)
                .whereRef('manifests.digest', '=', 'pending_blobs.digest'),
            ),
          ),
        ]),
      ]),
    )
    .orderBy('digest')
    .execute();
  const children = absent.filter((row) => row.is_manifest === 1).map((row) => row.digest);
  if (children.length === 0) return absent;
  const deleted = await deletedOf(db, { registryId, repository, digests: children });
  return absent.filter((row) => !deleted.has(row.digest));
}

async function deletedOf(
  db: ReadQueries | WriteQueries,
  {
    registryId,
    repository,
    digests,
  }: { readonly registryId: number; readonly repository: string; readonly digests: readonly string[] },
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('registers')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where((eb) => eb.or([eb('kind', '=', 'repository'), eb.and([eb('kind', '=', 'manifest'), eb('name', 'in', digests)])]))
    .execute();
  const repositoryDeleted = rows.find((row) => row.kind === 'repository');
  const at = repositoryDeleted === undefined ? never : registerOf(repositoryDeleted).deleted;
  return new Set(
    rows.filter((row) => row.kind === 'manifest' && wasDeleted(registerOf(row), at)).map((row: RegisterRow) => row.name),
  );
}

function wasDeleted(register: Register, repositoryDeleted: Register['deleted']): boolean {
  return !isThere(register, repositoryDeleted) && (register.deleted.clock > 0 || repositoryDeleted.clock > 0);
}

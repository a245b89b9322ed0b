import type { ReadQueries } from '../platform/database/index.ts';

export interface PartToCheck {
  readonly name: string;
  readonly data_key_id: string;
  readonly size_bytes: number;
}

/** Durable parts that something needs, by name, after a name. */
export function partsAfter(db: ReadQueries, registryId: number, after: string, limit: number): Promise<PartToCheck[]> {
  return db
    .selectFrom('parts')
    .select(['name', 'data_key_id'])
    .select((eb) => eb.ref('size_bytes').$notNull().as('size_bytes'))
    .where('name', '>', after)
    .where('registry_id', '=', registryId)
    .where('size_bytes', 'is not', null)
    .where((eb) => eb.or([eb('blob_id', 'is not', null), eb('upload_id', 'is not', null)]))
    .orderBy('name')
    .limit(limit)
    .execute();
}

export interface ManifestToCheck {
  readonly id: number;
  readonly digest: string;
  readonly size_bytes: number;
  readonly repository: string;
}

/** Manifests of living repositories, by id, after an id. */
export function manifestsAfter(db: ReadQueries, registryId: number, after: number, limit: number): Promise<ManifestToCheck[]> {
  return db
    .selectFrom('manifests')
    .innerJoin('repositories', 'repositories.id', 'manifests.repository_id')
    .select(['manifests.id', 'manifests.digest', 'manifests.size_bytes', 'repositories.name as repository'])
    .where('manifests.id', '>', after)
    .where('repositories.registry_id', '=', registryId)
    .where('repositories.deleted_at', 'is', null)
    .orderBy('manifests.id')
    .limit(limit)
    .execute();
}

export interface SealedManifest {
  readonly digest: string;
  readonly data_key_id: string;
  readonly sealed_content: Uint8Array;
  readonly sealed_annotations: Uint8Array | null;
}

/** One at a time: a page of them could be large. */
export function sealedManifest(db: ReadQueries, id: number): Promise<SealedManifest | undefined> {
  return db
    .selectFrom('manifests')
    .select(['digest', 'data_key_id', 'sealed_content', 'sealed_annotations'])
    .where('id', '=', id)
    .executeTakeFirst();
}

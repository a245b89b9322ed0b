import type { ReadQueries } from '../platform/database/index.ts';
import { prepareRead } from '../platform/database/index.ts';
import { linkSubject, type UploadState } from './model.ts';

/** A blob that a repository may read. */
export interface LinkedBlob {
  readonly id: number;
  readonly size_bytes: number;
  readonly repository_id: number;
  readonly linked_at: number;
  /** Of the repository. */
  readonly read_enabled: number;
}

const linkedBlob = prepareRead<{ registryId: number; repository: string; digest: string }, LinkedBlob>(
  (db, { registryId, repository, digest }) =>
    db
      .selectFrom('repositories')
      .innerJoin('repository_blobs', 'repository_blobs.repository_id', 'repositories.id')
      .innerJoin('blobs', 'blobs.id', 'repository_blobs.blob_id')
      .select([
        'blobs.id',
        'blobs.size_bytes',
        'repository_blobs.repository_id',
        'repository_blobs.linked_at',
        'repositories.read_enabled',
      ])
      .where('repositories.registry_id', '=', registryId)
      .where('repositories.name', '=', repository)
      .where('repositories.deleted_at', 'is', null)
      .where('blobs.registry_id', '=', registryId)
      .where('blobs.digest', '=', digest),
);

/** Access to content is the row that links it to the repository, never that the object exists. */
export function findLinkedBlob(
  db: ReadQueries,
  registryId: number,
  repository: string,
  digest: string,
): Promise<LinkedBlob | undefined> {
  return linkedBlob.first(db, { registryId, repository, digest });
}

const storedBlob = prepareRead<{ registryId: number; digest: string }, { readonly id: number; readonly size_bytes: number }>(
  (db, { registryId, digest }) =>
    db.selectFrom('blobs').select(['id', 'size_bytes']).where('registry_id', '=', registryId).where('digest', '=', digest),
);

/** A blob of the registry, whichever repositories may read it: only for other regions, which hold the registry as a whole. */
export function findStoredBlob(
  db: ReadQueries,
  registryId: number,
  digest: string,
): Promise<{ readonly id: number; readonly size_bytes: number } | undefined> {
  return storedBlob.first(db, { registryId, digest });
}

const candidate = prepareRead<{ subject: string }, { readonly due_at: number }>((db, { subject }) =>
  db.selectFrom('garbage').select('due_at').where('kind', '=', 'repository-blob').where('subject', '=', subject),
);

/** When collection will look whether a link is used (ms); undefined when it is not a candidate. */
export async function collectionDueAt(db: ReadQueries, blob: LinkedBlob): Promise<number | undefined> {
  return (await candidate.first(db, { subject: linkSubject(blob.repository_id, blob.id) }))?.due_at;
}

/** A durable part of a blob or upload. */
export interface StoredPart {
  readonly name: string;
  readonly data_key_id: string;
  readonly size_bytes: number;
}

const blobParts = prepareRead<{ blobId: number }, StoredPart>((db, { blobId }) =>
  db
    .selectFrom('parts')
    .select(['name', 'data_key_id'])
    .select((eb) => eb.ref('size_bytes').$notNull().as('size_bytes'))
    .where('blob_id', '=', blobId)
    .orderBy('position'),
);

/** In order. */
export function partsOfBlob(db: ReadQueries, blobId: number): Promise<StoredPart[]> {
  return blobParts.all(db, { blobId });
}

/** The durable parts of an upload, in order. */
export function partsOfUpload(db: ReadQueries, uploadId: string): Promise<StoredPart[]> {
  return db
    .selectFrom('parts')
    .select(['name', 'data_key_id'])
    .select((eb) => eb.ref('size_bytes').$notNull().as('size_bytes'))
    .where('upload_id', '=', uploadId)
    .where('size_bytes', 'is not', null)
    .orderBy('position')
    .execute();
}

const uploadState = prepareRead<{ registryId: number; repository: string; uploadId: string }, UploadState>(
  (db, { registryId, repository, uploadId }) =>
    db
      .selectFrom('uploads')
      .innerJoin('repositories', 'repositories.id', 'uploads.repository_id')
      .innerJoin('parts', 'parts.upload_id', 'uploads.id')
      .select([
        'uploads.id',
        'uploads.repository_id as repositoryId',
        'uploads.principal',
        'uploads.algorithm',
        'uploads.received_bytes as receivedBytes',
        'uploads.version',
        'parts.name as nextPart',
        'parts.data_key_id as nextPartKeyId',
        'parts.position as nextPosition',
      ])
      .where('uploads.id', '=', uploadId)
      .where('parts.size_bytes', 'is', null)
      .where('repositories.registry_id', '=', registryId)
      .where('repositories.name', '=', repository)
      .where('repositories.deleted_at', 'is', null),
);

/** An upload with the part that its next bytes go to. */
export function findUpload(
  db: ReadQueries,
  registryId: number,
  repository: string,
  uploadId: string,
): Promise<UploadState | undefined> {
  return uploadState.first(db, { registryId, repository, uploadId });
}

/** Names of repositories that hold a digest; at most `limit`. */
export async function repositoriesHolding(db: ReadQueries, registryId: number, digest: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('blobs')
    .innerJoin('repository_blobs', 'repository_blobs.blob_id', 'blobs.id')
    .innerJoin('repositories', 'repositories.id', 'repository_blobs.repository_id')
    .select('repositories.name')
    .where('blobs.registry_id', '=', registryId)
    .where('blobs.digest', '=', digest)
    .where('repositories.deleted_at', 'is', null)
    .limit(limit)
    .execute();
  return rows.map((row) => row.name);
}

/** Uploads that nobody has touched since `before` (ms). */
export async function idleUploads(db: ReadQueries, before: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('uploads')
    .select('id')
    .where('updated_at', '<', before)
    .orderBy('updated_at')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Which of these parts nothing refers to any more: a state that nothing leaves. */
export async function garbageParts(db: ReadQueries, names: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('parts')
    .select('name')
    .where('name', 'in', names)
    .where('upload_id', 'is', null)
    .where('blob_id', 'is', null)
    .execute();
  return rows.map((row) => row.name);
}

export async function isPartKnown(db: ReadQueries, name: string): Promise<boolean> {
  return (await db.selectFrom('parts').select('name').where('name', '=', name).executeTakeFirst()) !== undefined;
}

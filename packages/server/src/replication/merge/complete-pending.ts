import { annotationsSeal, manifestSeal } from '../../catalog/index.ts';
import { openBytes, sealBytes } from '../../platform/sealing/index.ts';
import type { ReplicationContext } from '../replication-context.ts';
import { type CompleteManifest, completeManifest } from './complete-manifest.ts';
import type { Completion } from './model.ts';

type Context = Pick<ReplicationContext, 'database' | 'keys' | 'clock' | 'catalog' | 'bells' | 'settings'>;

/** Indexes of indexes: nobody builds deeper ones. */
const maxDepth = 8;

/**
 * Makes a pending manifest one of this region when all that it needs is here, and then the indexes that waited for it.
 * Says what became of the manifest itself.
 */
export async function completePending(context: Context, id: number): Promise<Completion> {
  return completeWithParents(context, id, 0);
}

async function completeWithParents(context: Context, id: number, depth: number): Promise<Completion> {
  const input = await describe(context, id);
  if (input === 'gone') return input;
  const { completion, parents, areTagsMoved } = await context.database.write(completeManifest, input);
  if (completion === 'complete') context.bells.changed(input.registryId);
  if (areTagsMoved) context.bells.tagsMoved(input.registryId);
  if (depth < maxDepth) for (const parent of parents) await completeWithParents(context, parent, depth + 1);
  return completion;
}

async function describe(context: Context, id: number): Promise<CompleteManifest | 'gone'> {
  const row = await context.database.read
    .selectFrom('pending_manifests')
    .select(['registry_id', 'repository', 'digest', 'media_type', 'data_key_id', 'sealed_content'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return 'gone';
  const { registry_id: registryId, repository, digest, sealed_content: sealed } = row;
  const now = context.clock.now();
  const place = { id, registryId, repository, digest, now, dueAt: now + context.settings.garbageDelayMs };
  if (sealed === null) return { ...place, ...nothing };
  const key = context.keys.get(registryId, row.data_key_id);
  const { annotations, subject, ...facts } = await context.catalog.inspect(
    openBytes(key, manifestSeal(registryId, digest), sealed),
    row.media_type,
  );
  const { artifactType, blobs, optionalBlobs, children } = facts;
  const sealedAnnotations =
    annotations === null ? null : sealBytes(key, annotationsSeal(registryId, digest), Buffer.from(annotations));
  return { ...place, artifactType, subjectDigest: subject, sealedAnnotations, blobs, optionalBlobs, children };
}

const nothing = {
  artifactType: null,
  subjectDigest: null,
  sealedAnnotations: null,
  blobs: [],
  optionalBlobs: [],
  children: [],
};

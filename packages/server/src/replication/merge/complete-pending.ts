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
  if (typeof input === 'string') return input;
  const { completion, parents, areTagsMoved } = await context.database.write(completeManifest, input);
  if (completion === 'complete') context.bells.changed(input.registryId);
  if (areTagsMoved) context.bells.tagsMoved(input.registryId);
  if (depth < maxDepth) for (const parent of parents) await completeWithParents(context, parent, depth + 1);
  return completion;
}

async function describe(context: Context, id: number): Promise<CompleteManifest | Completion> {
  const row = await context.database.read
    .selectFrom('pending_manifests')
    .select(['registry_id', 'repository', 'digest', 'media_type', 'data_key_id', 'sealed_content'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return 'gone';
  if (row.sealed_content === null) return 'incomplete';
  const { registry_id: registryId, repository, digest } = row;
  const key = context.keys.get(registryId, row.data_key_id);
  const bytes = openBytes(key, manifestSeal(registryId, digest), row.sealed_content);
  const facts = await context.catalog.inspect(bytes, row.media_type);
  const { annotations } = facts;
  const now = context.clock.now();
  return {
    id,
    registryId,
    repository,
    digest,
    artifactType: facts.artifactType,
    subjectDigest: facts.subject,
    sealedAnnotations:
      annotations === null ? null : sealBytes(key, annotationsSeal(registryId, digest), Buffer.from(annotations)),
    blobs: facts.blobs,
    optionalBlobs: facts.optionalBlobs,
    children: facts.children,
    now,
    dueAt: now + context.settings.garbageDelayMs,
  };
}

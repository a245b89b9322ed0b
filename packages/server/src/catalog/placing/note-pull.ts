import type { WriteQueries } from '../../platform/database/index.ts';
import { findRepositoryId } from '../../repositories/index.ts';

export interface PullToNote {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  /** Milliseconds. */
  readonly pulledAt: number;
}

/** Notes that a manifest was pulled elsewhere: the last time of all regions counts. */
export async function notePull(tx: WriteQueries, { registryId, repository, digest, pulledAt }: PullToNote): Promise<void> {
  const repositoryId = await findRepositoryId(tx, registryId, repository);
  if (repositoryId === undefined) return;
  await tx
    .updateTable('manifests')
    .set({ last_pulled_at: pulledAt })
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .where((row) => row.or([row('last_pulled_at', 'is', null), row('last_pulled_at', '<', pulledAt)]))
    .execute();
}

import type { ReadQueries } from '../platform/database/index.ts';
import { baseImagesOf } from './queries.ts';

/** `step.baseImageDependencies` (acr-tasks 5.1). */
export async function baseImageDependencies(
  db: ReadQueries,
  registryId: number,
  task: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await baseImagesOf(db, registryId, task)).map(({ server, repository, tag, role, recorded_digest }) => ({
    type: role === 'runtime' ? 'RunTime' : 'BuildTime',
    // As ACR calls the public hub.
    registry: server === 'docker.io' ? 'registry.hub.docker.com' : server,
    repository,
    tag,
    digest: recorded_digest,
  }));
}

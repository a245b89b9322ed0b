import type { Assignment } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import { sealedRequestOf } from '../queries.ts';
import { type PlainRunRow, detailsOf } from '../run-facts.ts';
import { type RunsContext, leaseMs } from '../runs-context.ts';
import { openRequest } from '../sealed-request.ts';

/** Longer than a run may take: what was built is still pushed when the end is near. */
const afterwardsMs = 600_000;

/** Everything that an agent needs, with a fresh credential. @throws KEY_UNAVAILABLE, SealBrokenError, NOT_FOUND */
export async function buildAssignment(context: RunsContext, row: PlainRunRow, lease: string): Promise<Assignment> {
  const { database, keys, clock, credentials, registryById } = context;
  const registry = registryById(row.registry_id);
  const sealed = await sealedRequestOf(database.read, row.id);
  if (registry === undefined || sealed === undefined)
    throw new RegistryError('NOT_FOUND', { message: 'its registry is not there any more' });
  const { request, access, cacheKey } = openRequest(
    keys,
    { registryId: row.registry_id, runId: row.run_id },
    { dataKeyId: sealed.data_key_id, sealed: sealed.sealed_request },
  );
  const login = await credentials.issueRunCredential(registry, {
    runId: row.run_id,
    access,
    expiresAt: clock.now() + row.timeout_seconds * 1000 + afterwardsMs,
  });
  const { trigger } = detailsOf(row.trigger_details);
  return {
    run: {
      id: row.run_id,
      registry: registry.loginServer,
      registryName: registry.name,
      date: dateText(row.started_at ?? clock.now()),
      taskName: row.task ?? '',
      triggeredBy: triggeredBy(trigger?.kind),
      commit: trigger?.kind === 'source' ? trigger.commitId : '',
      branch: trigger?.kind === 'source' ? trigger.branchName : '',
    },
    lease,
    leaseSeconds: leaseMs / 1000,
    timeoutSeconds: row.timeout_seconds,
    work: request.work,
    source: request.source ?? null,
    platform: JSON.parse(row.platform) as Assignment['platform'],
    values: request.values ?? [],
    logins: [{ server: registry.loginServer, ...login }, ...(request.logins ?? [])],
    isTrusted: row.is_trusted === 1,
    cacheKey,
  };
}

/** `yyyyMMdd-HHmmssz` (acr-tasks 2.1). */
function dateText(ms: number): string {
  const digits = new Date(ms).toISOString().replaceAll(/[-:]/g, '');
  return `${digits.slice(0, 15).replace('T', '-')}z`;
}

function triggeredBy(kind: 'baseImage' | 'source' | 'timer' | undefined): string {
  switch (kind) {
    case 'baseImage':
      return 'Image Update';
    case 'source':
      return 'Git Commit';
    case 'timer':
      return 'Timer';
    case undefined:
      return 'Manual';
  }
}

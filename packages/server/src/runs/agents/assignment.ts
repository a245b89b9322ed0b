import type { Assignment, RegistryLogin } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import type { MachineKeyRow } from '../../platform/database/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { sealedRequestOf } from '../queries.ts';
import { type PlainRunRow, detailsOf } from '../run-facts.ts';
import { type RunsContext, leaseMs } from '../runs-context.ts';
import { type SealedRequest, openRequest } from '../sealed-request.ts';

/** Longer than a run may take: what was built is still pushed when the end is near. */
const afterwardsMs = 600_000;

/** What can be made for a run before anybody holds it: a claim then needs one transaction. */
export interface PreparedRun {
  readonly rowId: number;
  readonly registry: Registry;
  readonly request: SealedRequest;
  readonly login: RegistryLogin;
  /** Lets the login in, once it is in the database. */
  readonly key: MachineKeyRow;
}

/** Opens what was asked for, and makes a fresh credential. @throws KEY_UNAVAILABLE, SealBrokenError, NOT_FOUND */
export async function prepareRun(context: RunsContext, rowId: number): Promise<PreparedRun> {
  const { database, keys, clock, credentials, registryById } = context;
  const row = await sealedRequestOf(database.read, rowId);
  const registry = row && registryById(row.registry_id);
  if (row === undefined || registry === undefined)
    throw new RegistryError('NOT_FOUND', { message: 'its registry is not there any more' });
  const { registry_id: registryId, run_id: runId, data_key_id: dataKeyId, sealed_request: sealed } = row;
  const request = openRequest(keys, { registryId, runId }, { dataKeyId, sealed });
  const expiresAt = clock.now() + row.timeout_seconds * 1000 + afterwardsMs;
  const { key, ...login } = credentials.makeRunCredential(registry, { runId, access: request.access, expiresAt });
  return { rowId, registry, request, login: { server: registry.loginServer, ...login }, key };
}

/** Everything that an agent needs. */
export function buildAssignment(row: PlainRunRow, lease: string, prepared: PreparedRun): Assignment {
  const { registry, login } = prepared;
  const { request, cacheKey } = prepared.request;
  const { trigger } = detailsOf(row.trigger_details);
  return {
    run: {
      id: row.run_id,
      registry: registry.loginServer,
      registryName: registry.name,
      date: dateText(row.started_at ?? row.created_at),
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
    logins: [login, ...(request.logins ?? [])],
    isTrusted: row.is_trusted === 1,
    cacheKey,
    // While it waited, the server may have said why.
    logFrom: row.log_records,
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

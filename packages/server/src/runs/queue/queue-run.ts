import type { NewRun, RunFacts } from '../model.ts';
import { factsOf } from '../run-facts.ts';
import { runIdOf } from '../run-ids.ts';
import type { RunsContext } from '../runs-context.ts';
import { sealRequest } from '../sealed-request.ts';
import { checkRun } from './check-run.ts';
import { accessOf } from './run-access.ts';
import { queueRun, takeRunNumber } from './transactions.ts';

/** Checks a run and puts it into the queue. @throws INVALID_PARAMETER, TASK_FILE_INVALID, TOOMANYREQUESTS, KEY_UNAVAILABLE */
export async function queueNewRun(context: RunsContext, run: NewRun): Promise<RunFacts> {
  const { registry, request, requestedBy, isTrusted } = run;
  const checked = checkRun(request, registry);
  const { database, keys, clock, limits, events } = context;
  const runId = runIdOf(await database.write(takeRunNumber, { registryId: registry.id }));
  const { dataKeyId, sealed } = sealRequest(
    keys,
    { registryId: registry.id, runId },
    {
      request,
      access: accessOf(run),
      cacheKey: cacheKeyOf(run),
      maySecrets: run.maySecrets ?? isTrusted,
    },
  );
  const now = clock.now();
  const row = {
    registry_id: registry.id,
    run_id: runId,
    status: 'Queued' as const,
    run_type: run.runType,
    task: run.task ?? null,
    agent_pool: request.agentPool ?? null,
    os: checked.os,
    architecture: checked.architecture,
    platform: JSON.stringify(checked.platform),
    requested_by: requestedBy,
    data_key_id: dataKeyId,
    sealed_request: sealed,
    timeout_seconds: checked.timeoutSeconds,
    created_at: now,
    started_at: null,
    finished_at: null,
    updated_at: now,
    cancel_requested_at: null,
    agent_key_id: null,
    agent: null,
    lease: null,
    leased_until: null,
    is_trusted: isTrusted ? 1 : 0,
    trigger_details: run.trigger === undefined ? null : JSON.stringify({ trigger: run.trigger }),
    steps: '[]',
    images: '[]',
    dependencies: '[]',
    error: null,
    log_records: 0,
    log_bytes: 0,
    is_archived: 0,
    update_token: run.updateToken ?? null,
  };
  const source = request.source?.kind === 'upload' ? { id: request.source.id, owner: requestedBy } : undefined;
  const added = await database.write(queueRun, { row, maxQueued: limits.maxQueued, source });
  events.queueMoved();
  return factsOf(added);
}

/** Who queues a run without a task finds what earlier ones of theirs left: nothing that they could not have put there themselves. */
function cacheKeyOf({ cacheKey, task, isTrusted, requestedBy }: NewRun): string {
  return cacheKey ?? (task === undefined && isTrusted ? `caller:${requestedBy}` : '');
}

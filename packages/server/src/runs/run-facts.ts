import type { RunRow } from '../platform/database/index.ts';
import type { Selectable } from 'kysely';
import type { RunFacts, RunTrigger } from './model.ts';

/** The column `trigger_details`. */
export interface TriggerDetails {
  readonly trigger: RunTrigger | null;
  /** Of the source, as an agent found it. */
  readonly commit?: string;
  readonly branch?: string;
}

/** All of a run but its sealed request. */
export const runColumns = [
  'id',
  'registry_id',
  'run_id',
  'status',
  'run_type',
  'task',
  'agent_pool',
  'os',
  'architecture',
  'platform',
  'requested_by',
  'timeout_seconds',
  'created_at',
  'started_at',
  'finished_at',
  'updated_at',
  'cancel_requested_at',
  'agent_key_id',
  'agent',
  'leased_until',
  'is_trusted',
  'trigger_details',
  'steps',
  'images',
  'dependencies',
  'error',
  'log_records',
  'log_bytes',
  'is_archived',
  'update_token',
] as const;

export type PlainRunRow = Pick<Selectable<RunRow>, (typeof runColumns)[number]>;

/** The texts are ours. */
export function factsOf(row: PlainRunRow): RunFacts {
  return {
    rowId: row.id,
    registryId: row.registry_id,
    id: row.run_id,
    status: row.status,
    runType: row.run_type,
    task: row.task,
    trigger: detailsOf(row.trigger_details).trigger,
    requestedBy: row.requested_by,
    platform: JSON.parse(row.platform) as RunFacts['platform'],
    agentPool: row.agent_pool,
    images: JSON.parse(row.images) as RunFacts['images'],
    dependencies: JSON.parse(row.dependencies) as RunFacts['dependencies'],
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    updatedAt: row.updated_at,
    timeoutSeconds: row.timeout_seconds,
    error: row.error,
    isArchived: row.is_archived === 1,
    updateToken: row.update_token,
    logBytes: row.log_bytes,
    logRecords: row.log_records,
  };
}

export function detailsOf(text: string | null): TriggerDetails {
  return text === null ? { trigger: null } : (JSON.parse(text) as TriggerDetails);
}

import type { Generated } from 'kysely';
import type { RunStatus } from '@berth/api';

/** Rows of tasks: runs, agents, triggers. Units are those of `tables.ts`. */

/** What an agent signs in with, or a run while it goes on. */
export interface MachineKeyRow {
  id: string;
  registry_id: number;
  kind: 'agent' | 'run';
  /** What people call the key; of a run, its id. */
  name: string;
  /** Keyed SHA-256. */
  verifier: string;
  /** Of agents: null is the pool that every registry has. */
  agent_pool: string | null;
  /** Agents that take runs of every registry. */
  is_shared: number;
  /** JSON: the rights of a run, as a token's `access`. */
  access: string;
  created_at: number;
  expires_at: number | null;
}

export interface RunCounterRow {
  registry_id: number;
  last: number;
}

export interface RunRow {
  id: Generated<number>;
  registry_id: number;
  /** What people see: `ca1`. */
  run_id: string;
  status: RunStatus;
  run_type: 'QuickBuild' | 'QuickRun' | 'AutoBuild' | 'AutoRun';
  task: string | null;
  agent_pool: string | null;
  /** Of the agent that it needs, in lower case: `linux`, `amd64`. */
  os: string;
  architecture: string;
  /** JSON, as it was asked for. */
  platform: string;
  requested_by: string;
  data_key_id: string;
  /** JSON: what is to be done, with its secrets. */
  sealed_request: Uint8Array;
  timeout_seconds: number;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  updated_at: number;
  cancel_requested_at: number | null;
  agent_key_id: string | null;
  agent: string | null;
  /** Hash of what the agent that holds it proves that with. */
  lease: string | null;
  leased_until: number | null;
  is_trusted: number;
  /** JSON: what made it run. */
  trigger_details: string | null;
  /** JSON lists. */
  steps: string;
  images: string;
  dependencies: string;
  error: string | null;
  log_records: number;
  /** Of the log as text, with its line ends. */
  log_bytes: number;
  is_archived: number;
  update_token: string | null;
}

/** Images that a run pushed to its registry. */
export interface RunImageRow {
  run_row_id: number;
  registry_id: number;
  repository: string;
  /** Empty: none. */
  tag: string;
  digest: string;
}

/** Records of a log: sealed in the row while the run goes on, in an object of the blob store afterwards. */
export interface RunLogChunkRow {
  run_row_id: number;
  first_record: number;
  records: number;
  /** Where it begins in the log as text, and how long it is there. */
  raw_offset: number;
  raw_bytes: number;
  data_key_id: string;
  sealed: Uint8Array | null;
  object_id: string | null;
  object_offset: number | null;
  object_bytes: number | null;
}

/** A sealed object of the blob store that belongs to runs. Its row is there before any byte of it. */
export interface RunObjectRow {
  id: string;
  registry_id: number;
  kind: 'source' | 'block' | 'log';
  part_name: string;
  data_key_id: string;
  /** Null until it is durable. */
  size_bytes: number | null;
  /** The principal's id. */
  owner: string;
  /** Keyed hash of what a signed address holds, for objects that are uploaded by one. */
  upload_verifier: string | null;
  run_row_id: number | null;
  created_at: number;
  expires_at: number | null;
}

export interface AgentRow {
  key_id: string;
  name: string;
  /** JSON: version, engine, platforms, capacity. */
  description: string;
  seen_at: number;
}

/** What task files use as `https://berth/secrets/NAME`. */
export interface SecretRow {
  registry_id: number;
  name: string;
  data_key_id: string;
  sealed: Uint8Array;
  updated_at: number;
}

/** A tag that was moved to another manifest, until somebody has looked at it. */
export interface MovedTagRow {
  id: Generated<number>;
  registry_id: number;
  repository: string;
  tag: string;
  digest: string;
  moved_at: number;
  /** The run that pushed it, if one did. */
  run_id: string | null;
}

export interface TaskTimerRow {
  registry_id: number;
  task: string;
  name: string;
  schedule: string;
  time_zone: string;
  /** What happens when the last run of the timer goes on still. */
  overlap: 'allow' | 'skip';
  /** Whether a time that was missed is made up for, once. */
  catch_up: number;
  next_at: number | null;
  /** While a process deals with it. */
  held_until: number | null;
  last_run: string | null;
}

/** An image that the last successful run of a task was built on. */
export interface TaskBaseImageRow {
  registry_id: number;
  task: string;
  /** Host and port, in lower case; `docker.io` for the public hub. */
  server: string;
  repository: string;
  tag: string;
  role: 'runtime' | 'buildtime';
  /** The task's trigger is for images of this role. */
  is_watched: number;
  /** What the last successful run used. */
  recorded_digest: string;
  /** What the tag names now, as far as is known. */
  current_digest: string | null;
  /** The run that pushed it, if one did: of the registry that the image is in. */
  current_run: string | null;
  /** The row of `moved_tags` that told of it: an older one tells nothing new. */
  moved_id: number | null;
  /** The last one that a run was queued for. */
  handled_digest: string | null;
  /** When somebody is to decide about it; null: there is nothing to decide. */
  decide_at: number | null;
  /** When somebody began to; he may have died before he ended. */
  claimed_at: number | null;
  /** It moves too often: until then nothing is decided. */
  paused_until: number | null;
  checked_at: number | null;
  /** Null: it is not polled, since its pushes are seen. */
  next_check_at: number | null;
  failures: number;
  problem: string | null;
}

/** What the rows of `task_base_images` of a task were made of. */
export interface TaskBaseRunRow {
  registry_id: number;
  task: string;
  /** Of the run; 0: no run of the task has succeeded. */
  run_row_id: number;
  /** How its trigger watches them: `off`, `paused`, `Runtime` or `All`. */
  watch: string;
}

/** What is known of a repository that a source trigger watches. */
export interface TaskSourceRow {
  registry_id: number;
  task: string;
  name: string;
  /** JSON: the secret of the hook (sealed), the hook's id at the forge, the last commits that were seen. */
  state: string;
  next_poll_at: number | null;
  failures: number;
  problem: string | null;
}

/** Webhooks that were taken, so that none counts twice. */
export interface HookDeliveryRow {
  registry_id: number;
  task: string;
  trigger_name: string;
  delivery: string;
  received_at: number;
}

export interface TriggerDecisionRow {
  id: Generated<number>;
  registry_id: number;
  task: string;
  trigger_name: string;
  kind: 'baseImage' | 'source' | 'timer';
  is_fired: number;
  reason: string;
  run_id: string | null;
  /** JSON. */
  details: string;
  decided_at: number;
}

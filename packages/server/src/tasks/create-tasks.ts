import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { KeyRing } from '../platform/keys/index.ts';
import type { Outbound } from '../platform/outbound/index.ts';
import type { ChildKind } from '../resources/index.ts';
import type { Runs } from '../runs/index.ts';
import type { Tasks } from './index.ts';
import { agentPoolKind } from './kinds/agent-pool-kind.ts';
import { taskDetails, taskKind } from './kinds/task-kind.ts';
import { taskRunKind } from './kinds/task-run-kind.ts';
import { allTasks, findTask } from './queries.ts';
import { taskRoutes } from './routes.ts';
import { runOfRequest } from './run-of-request.ts';
import { runOfTask } from './run-of-task.ts';
import { openText } from './seal-secrets.ts';
import { type KeyVaultSettings, createKeyVault } from './secrets/key-vault.ts';
import { resolveSecrets } from './secrets/resolve-secrets.ts';
import type { TasksContext } from './tasks-context.ts';

export interface TasksOptions {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly runs: Pick<Runs, 'queue' | 'find' | 'document' | 'queuedIn'>;
  readonly outbound: Outbound;
  readonly keyVault: KeyVaultSettings;
  readonly region: string;
  /** Aborts when the server is told to stop. */
  readonly signal: AbortSignal;
}

type Changed = Parameters<Tasks['onChanged']>[0];

export function createTasks({ keyVault, outbound, signal, ...options }: TasksOptions): Tasks {
  const listeners: Changed[] = [];
  const context: TasksContext = {
    ...options,
    vault: createKeyVault(keyVault, outbound),
    signal,
    taskChanged: ({ id }, name) => {
      for (const listener of listeners) listener({ registryId: id, name });
    },
  };
  const { database, keys, runs } = options;
  const task = taskKind(context) as ChildKind;
  return {
    routes: taskRoutes(context, task),
    kinds: [task, taskRunKind(context) as ChildKind, agentPoolKind(context) as ChildKind],
    find: (registryId, name) => findTask(database.read, registryId, name),
    all: (registryId) => allTasks(database.read, registryId),
    runOf: (run) => runOfTask(context, run),
    run: async (run) => runs.queue(await runOfTask(context, run)),
    runOfRequest: (request) => runOfRequest(context, request),
    details: (each) => taskDetails(context, each, each.registryId),
    resolveSecrets: (registry, sources) => resolveSecrets(context, registry, { sources, signal }),
    open: (registryId, secret) => openText(keys, registryId, secret),
    onChanged: (listener) => void listeners.push(listener),
  };
}

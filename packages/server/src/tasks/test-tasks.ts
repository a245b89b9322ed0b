import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { TestEngine } from '@berth/testkit';
import type { Database } from '../platform/database/index.ts';
import { createOutbound } from '../platform/outbound/index.ts';
import { WrappingKeyFile, openKeyRing } from '../platform/keys/index.ts';
import { openRegistries } from '../registries/index.ts';
import { Fields, putChild } from '../resources/index.ts';
import type { NewRun } from '../runs/index.ts';
import type { Registry } from '../tenancy/index.ts';
import { type Task, type Tasks, createTasks } from './index.ts';
import type { TaskRun } from './model.ts';
import { keepSecret } from './secrets/secret-store.ts';
import type { KeyVaultSettings } from './secrets/key-vault.ts';

/** Tasks over a real database; nothing is queued. */
export interface TestTasks {
  readonly tasks: Tasks;
  readonly database: Database;
  readonly registry: Registry;
  /** Makes or replaces a task. */
  put(name: string, properties: object): Promise<Task>;
  keepSecret(name: string, value: string): Promise<void>;
  runOf(task: Task, more?: Partial<TaskRun>): Promise<NewRun>;
}

export const noVault: KeyVaultSettings = {
  keyVaults: [],
  keyVaultTenant: undefined,
  keyVaultClientId: undefined,
  keyVaultClientSecret: undefined,
  keyVaultAuthority: 'https://login.microsoftonline.com',
};

const nothingQueued = async (): Promise<never> => {
  throw new Error('these tests queue nothing');
};

export async function openTestTasks(engine: TestEngine, t: TestContext, keyVault = noVault): Promise<TestTasks> {
  const database = await engine.open(t, { transactionsModule: new URL('./test-transactions.ts', import.meta.url) });
  const folder = await mkdtemp(join(tmpdir(), 'berth-tasks-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const clock = { time: 1_800_000_000_000, now: () => clock.time };
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(join(folder, 'keys.json')), clock });
  const loginServer = (): string => 'local.example';
  const { local } = await openRegistries({ database, keys, clock, loginServer, isAnonymousPullEnabled: false, region: 'test' });
  const outbound = createOutbound({ allow: ['127.0.0.1'] });
  t.after(() => outbound.close());
  const runs = { queue: nothingQueued, find: async () => undefined, document: nothingQueued, queuedIn: async () => 0 };
  const tasks = createTasks({ database, keys, clock, runs, outbound, keyVault, region: 'test', signal: t.signal });
  const [kind] = tasks.kinds;
  if (kind === undefined) throw new Error('there is no kind of tasks');
  return {
    tasks,
    database,
    registry: local,
    put: async (name, properties) => {
      const document = new Fields({ properties }, '');
      const children = { database, clock, kinds: tasks.kinds, limitOf: () => undefined };
      const written = { registry: local, name, document, by: 'test', requestedBy: 'admin:test', location: 'test', tags: {} };
      await putChild(children, kind, written);
      const task = await tasks.find(local.id, name);
      if (task === undefined) throw new Error('the task was not kept');
      return task;
    },
    keepSecret: async (name, value) => void (await keepSecret({ database, keys, clock }, local.id, { name, value })),
    runOf: (task, more = {}) => tasks.runOf({ registry: local, task, requestedBy: 'admin:test', ...more }),
  };
}

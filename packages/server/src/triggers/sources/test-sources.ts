import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { TestEngine } from '@berth/testkit';
import { pino } from 'pino';
import { RegistryError } from '../../errors/index.ts';
import { openMemoryStore, openSealedStore } from '../../platform/blob-store/index.ts';
import { WrappingKeyFile, openKeyRing } from '../../platform/keys/index.ts';
import { createOutbound } from '../../platform/outbound/index.ts';
import { type Runs, createRuns } from '../../runs/index.ts';
import { testCredentials } from '../../runs/test-credentials.ts';
import type { SourceTrigger, Task, TaskRun, Tasks } from '../../tasks/index.ts';
import { openText, sealText } from '../../tasks/seal-secrets.ts';
import type { Registry } from '../../tenancy/index.ts';
import { testRegistry } from '../../tenancy/test-registry.ts';
import type { Outcome } from './fire.ts';
import { type Example, type Signing, signed } from './forges/test-payloads.ts';
import { receiveHook } from './receive-hook.ts';
import { reconcile } from './reconcile.ts';
import { showHook } from './show-hook.ts';
import type { TriggerDecision } from '../decisions/model.ts';
import type { SourcesContext } from './sources-context.ts';
import { addRegistry } from './test-transactions.ts';

/** Source triggers over a real database and real runs; the tasks themselves stand in memory. */
export interface TestSources {
  readonly context: SourcesContext;
  readonly registry: Registry;
  readonly runs: Runs;
  readonly clock: { time: number; now(): number };
  readonly decisions: TriggerDecision[];
  /** What tasks were asked to run. */
  readonly asked: TaskRun[];
  readonly logged: string[];
  /** Makes or changes the task `app`, whose only trigger is `source`. */
  put(
    trigger: Partial<SourceTrigger['sourceRepository']>,
    more?: Partial<SourceTrigger> & { readonly token?: string },
  ): Promise<void>;
  drop(): Promise<void>;
  secret(): Promise<string>;
  /** Sends a hook, signed with the secret of the trigger unless it says otherwise. */
  send(example: Example, options?: Partial<Signing> & { readonly task?: string }): Promise<Outcome>;
  /** The row of the error catalogue by which a hook is refused. */
  refusal(example: Example, options?: Partial<Signing> & { readonly task?: string }): Promise<RegistryError>;
  /** What runs are to be refused with. */
  refuse: RegistryError | undefined;
  publicOrigin: string | undefined;
}

const limits = { runRetentionMs: 30 * 86_400_000, maxSourceSizeBytes: 2 ** 20, runsAtOnce: 100, queueTimeoutMs: 86_400_000 };

export async function openTestSources(engine: TestEngine, t: TestContext): Promise<TestSources> {
  const database = await engine.open(t, { transactionsModule: new URL('./test-transactions.ts', import.meta.url) });
  const folder = await mkdtemp(join(tmpdir(), 'berth-sources-'));
  const clock = { time: Date.UTC(2026, 0, 1), now: () => clock.time };
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(join(folder, 'keys.json')), clock });
  const name = `r${randomUUID()}`;
  const registryId = await database.write(addRegistry, { name });
  await keys.addDataKey(registryId);
  const registry = testRegistry({ id: registryId, name });
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (text: string) => void logged.push(text) });
  const outbound = createOutbound({ allow: ['127.0.0.1'] });
  const stopping = new AbortController();
  const runs = runsOver({ database, keys, clock, log, registry, signal: stopping.signal });
  t.after(async () => {
    stopping.abort();
    outbound.close();
    await runs.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const known = new Map<string, Task>();
  const asked: TaskRun[] = [];
  const decisions: TriggerDecision[] = [];
  const tasks = tasksInMemory({ registry, runs, keys, known, asked, refusal: () => test.refuse });
  const context: SourcesContext = {
    database,
    keys,
    clock,
    log,
    outbound,
    tasks,
    runs,
    registryById: (id) => (id === registryId ? registry : undefined),
    publicOrigin: () => test.publicOrigin,
    record: async (decision) => decisions.push(decision),
    signal: stopping.signal,
  };
  const secret = async (): Promise<string> => {
    const hook = await showHook(context, registry, { task: 'app', name: 'source', origin: 'https://r.example' });
    assert.ok(hook !== undefined);
    return hook.secret;
  };
  const send: TestSources['send'] = async (example, { task = 'app', ...signing } = {}) =>
    receiveHook(context, registry, { task, trigger: 'source', ...signed(example, { secret: await secret(), ...signing }) });
  const test: TestSources = {
    context,
    registry,
    runs,
    clock,
    decisions,
    asked,
    logged,
    refuse: undefined,
    publicOrigin: undefined,
    secret,
    send,
    put: async (repository, { token, ...more } = {}) => {
      const auth =
        token === undefined
          ? {}
          : { sourceControlAuthProperties: { tokenType: 'PAT' as const, token: sealText(keys, registryId, token) } };
      known.set('app', taskOf(registryId, { ...more, repository: { ...repository, ...auth } }));
      await reconcile(context, { registryId, task: 'app' });
    },
    drop: async () => {
      known.delete('app');
      await reconcile(context, { registryId, task: 'app' });
    },
    refusal: async (example, options) => {
      const error = await send(example, options).then(
        (outcome) => assert.fail(`it was taken: ${outcome.reason}`),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof RegistryError, String(error));
      return error;
    },
  };
  return test;
}

type Ground = Pick<SourcesContext, 'database' | 'clock' | 'log' | 'signal'> & {
  readonly keys: Awaited<ReturnType<typeof openKeyRing>>;
  readonly registry: Registry;
};

function runsOver({ registry, ...ground }: Ground): Runs {
  const silent = {
    gauge: () => undefined,
    gauges: () => undefined,
    counter: () => undefined,
    observeRequest: () => undefined,
    observeStoreCall: () => undefined,
  };
  return createRuns({
    ...ground,
    store: openSealedStore(openMemoryStore()),
    metrics: { ...silent, scrape: async () => ({ contentType: '', text: '' }) },
    limits,
    registryById: () => registry,
    credentials: testCredentials(),
    untag: async () => undefined,
    resolveSecrets: async () => [],
  });
}

interface Standing {
  readonly registry: Registry;
  readonly runs: Runs;
  readonly keys: Ground['keys'];
  readonly known: ReadonlyMap<string, Task>;
  readonly asked: TaskRun[];
  refusal(): RegistryError | undefined;
}

function tasksInMemory({ registry, runs, keys, known, asked, refusal }: Standing): Tasks {
  const tasks: Pick<Tasks, 'find' | 'all' | 'run' | 'open' | 'onChanged'> = {
    find: async (id, task) => (id === registry.id ? known.get(task) : undefined),
    all: async () => [...known.values()],
    open: (id, secret) => openText(keys, id, secret),
    onChanged: () => undefined,
    run: async (run) => {
      const error = refusal();
      if (error !== undefined) throw error;
      asked.push(run);
      return runs.queue({
        registry,
        request: { work: { kind: 'inline', content: 'steps:\n  - cmd: bash echo hi\n' } },
        runType: 'AutoRun',
        requestedBy: run.requestedBy,
        isTrusted: run.isTrusted ?? true,
        task: run.task.name,
        ...(run.trigger && { trigger: run.trigger }),
      });
    },
  };
  return tasks as Tasks;
}

type Given = Partial<SourceTrigger> & { readonly repository: Partial<SourceTrigger['sourceRepository']> };

function taskOf(registryId: number, { repository, ...trigger }: Given): Task {
  const source: SourceTrigger = {
    name: 'source',
    status: 'Enabled',
    sourceTriggerEvents: ['commit', 'pullrequest'],
    ...trigger,
    sourceRepository: { sourceControlType: 'Git', repositoryUrl: 'https://git.example/acme/app', ...repository },
  };
  return {
    registryId,
    name: 'app',
    createdAt: 0,
    updatedAt: 0,
    properties: {
      status: 'Enabled',
      platform: { os: 'Linux', architecture: 'amd64' },
      timeout: 3600,
      trigger: { timerTriggers: [], sourceTriggers: [source] },
      isSystemTask: false,
    },
  };
}

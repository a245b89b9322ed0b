import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { Assignment, LogRecord, Need, Run, RunReport, RunToQueue } from '@berth/api';
import type { TestEngine } from '@berth/testkit';
import { pino } from 'pino';
import { asRegistryError } from '../errors/index.ts';
import { type BlobStore, openMemoryStore, openSealedStore } from '../platform/blob-store/index.ts';
import type { Database } from '../platform/database/index.ts';
import { WrappingKeyFile, openKeyRing } from '../platform/keys/index.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { AgentFacts, Principal, Registry } from '../tenancy/index.ts';
import { testRegistry } from '../tenancy/test-registry.ts';
import { type RunLimits, type Runs, createRuns } from './index.ts';
import type { NewRun, RunFacts } from './model.ts';
import type { RunAccess } from './model.ts';
import { testCredentials } from './test-credentials.ts';
import { addKey, addRegistry } from './test-transactions.ts';

export interface Asked {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly principal?: Principal;
  readonly registry?: Registry;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly json: never;
  readonly bytes: Buffer;
  /** The row of the error catalogue. */
  readonly error: string | undefined;
  readonly message: string;
}

export interface TestAgent {
  readonly principal: Principal;
  readonly facts: AgentFacts;
}

/** Runs over a real database, asked through their routes. */
export interface TestRuns {
  readonly runs: Runs;
  readonly database: Database;
  readonly registry: Registry;
  readonly clock: { time: number; now(): number };
  readonly files: BlobStore;
  readonly logged: string[];
  /** Credentials that runs have now, by run. */
  readonly credentials: Map<string, readonly RunAccess[]>;
  readonly untagged: string[];
  readonly ended: RunFacts[];
  ask(operation: string, asked?: Asked): Promise<Answer>;
  addRegistry(): Promise<Registry>;
  addAgent(options?: {
    readonly registry?: Registry;
    readonly agentPool?: string;
    readonly isShared?: boolean;
  }): Promise<TestAgent>;
  queue(changes?: Partial<NewRun>, request?: Partial<RunToQueue>): Promise<RunFacts>;
  claim(agent: TestAgent, options?: ClaimOptions): Promise<Assignment | undefined>;
  report(agent: TestAgent, assignment: Assignment, report: RunReport): Promise<Answer>;
  shown(runId: string): Promise<Run>;
  /** What goes round in the background, once; lets what ended be tidied up first. */
  round(which: 'sweep' | 'tidy'): Promise<void>;
  /** The same data with nothing remembered, as after a restart or in another process. */
  restarted(limits?: Partial<RunLimits>): Promise<TestRuns>;
}

export interface ClaimOptions {
  readonly name?: string;
  readonly os?: 'Linux' | 'Windows';
  readonly architectures?: readonly string[];
  readonly holds?: readonly string[];
  readonly waitSeconds?: number;
  readonly signal?: AbortSignal;
  readonly registry?: Registry;
}

export const inline = 'steps:\n  - cmd: bash echo hi\n';
const usualLimits = { runRetentionMs: 30 * 86_400_000, maxSourceSizeBytes: 2 ** 20, runsAtOnce: 100, queueTimeoutMs: 86_400_000 };

/** A principal that may do what the needs say. */
export function principalOf(id: string, permits: (need: Need) => boolean, kind: Principal['kind'] = 'token'): Principal {
  return { kind, id, name: id, permits, couldPermit: permits };
}

export const operator = principalOf('admin:test', (need) => need.type !== 'agent', 'admin');

export function line(text: string, changes: Partial<LogRecord> = {}): LogRecord {
  return { time: Date.UTC(2026, 0, 2, 3, 4, 5), step: 'a', stream: 'stdout', text, ...changes };
}

const silent: Metrics = {
  observeRequest: () => undefined,
  observeStoreCall: () => undefined,
  gauge: () => undefined,
  gauges: () => undefined,
  counter: () => undefined,
  scrape: async () => ({ contentType: '', text: '' }),
};

interface Ground
  extends Pick<TestRuns, 'database' | 'registry' | 'clock' | 'files' | 'logged' | 'credentials' | 'untagged' | 'ended'> {
  readonly t: TestContext;
  readonly keys: Awaited<ReturnType<typeof openKeyRing>>;
  readonly registries: Map<number, Registry>;
}

export async function openTestRuns(engine: TestEngine, t: TestContext, limits: Partial<RunLimits> = {}): Promise<TestRuns> {
  const database = await engine.open(t, {
    transactionsModule: new URL('./test-transactions.ts', import.meta.url),
    maxConnections: 8,
  });
  const folder = await mkdtemp(join(tmpdir(), 'berth-runs-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const clock = { time: 1_700_000_000_000, now: () => clock.time };
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(join(folder, 'keys.json')), clock });
  const registries = new Map<number, Registry>();
  const ground = {
    t,
    database,
    clock,
    keys,
    registries,
    files: openMemoryStore(),
    logged: [],
    credentials: new Map(),
    untagged: [],
    ended: [],
  };
  const registry = await addTestRegistry(ground);
  return assemble({ ...ground, registry }, limits);
}

async function addTestRegistry({
  database,
  keys,
  registries,
}: Pick<Ground, 'database' | 'keys' | 'registries'>): Promise<Registry> {
  const name = `r${randomUUID()}`;
  const id = await database.write(addRegistry, { name });
  await keys.addDataKey(id);
  const registry = testRegistry({ id, name, loginServer: `${name}.example` });
  registries.set(id, registry);
  return registry;
}

async function assemble(ground: Ground, limits: Partial<RunLimits>): Promise<TestRuns> {
  const { t, database, clock, keys, registries, files, registry, logged, credentials, untagged, ended } = ground;
  const log = pino({ level: 'warn' }, { write: (text: string) => void logged.push(text) });
  const stopping = new AbortController();
  const runs = createRuns({
    database,
    keys,
    store: openSealedStore(files),
    clock,
    log,
    metrics: silent,
    signal: stopping.signal,
    limits: { ...usualLimits, ...limits },
    registryById: (id) => registries.get(id),
    credentials: testCredentials(credentials),
    untag: async (_registryId, repository, tag) => void untagged.push(`${repository}:${tag}`),
    resolveSecrets: async (_registry, _run, secrets) => secrets.map(({ id }) => ({ id, value: `value of ${id}` })),
  });
  runs.onEnded((run) => ended.push(run));
  t.after(async () => {
    stopping.abort();
    await runs.stop();
  });
  const routes = new Map(runs.routes.map((route) => [route.operation.id, route]));
  const ask = (operation: string, asked: Asked = {}): Promise<Answer> => {
    const route = routes.get(operation);
    assert.ok(route !== undefined, `there is no operation ${operation}`);
    return answerOf(() => route.handle(requestOf(registry, asked)));
  };
  return {
    ...ground,
    runs,
    ask,
    ...ways({ ask, runs, ground }),
    restarted: (more = limits) => assemble(ground, more),
  };
}

interface Way {
  readonly ask: TestRuns['ask'];
  readonly runs: Runs;
  readonly ground: Ground;
}

function ways({
  ask,
  runs,
  ground,
}: Way): Pick<TestRuns, 'addRegistry' | 'addAgent' | 'queue' | 'claim' | 'report' | 'shown' | 'round'> {
  const { registry, database } = ground;
  return {
    addRegistry: () => addTestRegistry(ground),
    addAgent: async ({ registry: own = registry, agentPool = null, isShared = false } = {}) => {
      const keyId = randomUUID();
      await database.write(addKey, { id: keyId, registryId: own.id, agentPool, isShared });
      const facts = { keyId, agentPool, isShared };
      const permits = (need: Need): boolean => need.type === 'agent';
      return { facts, principal: { ...principalOf(`agent:${keyId}`, permits, 'agent'), agent: facts } };
    },
    queue: (changes = {}, request = {}) =>
      runs.queue({
        registry,
        request: { work: { kind: 'inline', content: inline }, ...request },
        runType: 'QuickRun',
        requestedBy: operator.id,
        isTrusted: true,
        ...changes,
      }),
    claim: async ({ principal }, options = {}) => {
      const {
        name = 'one',
        os = 'Linux',
        architectures = ['amd64'],
        holds = [],
        waitSeconds = 0,
        signal,
        registry: of,
      } = options;
      const agent = { name, version: '1', engine: 'docker', engineVersion: '1', os, architectures, capacity: 1 };
      const answer = await ask('claim-run', {
        body: { agent, holds, waitSeconds },
        principal,
        ...(signal && { signal }),
        ...(of && { registry: of }),
      });
      assert.ok(answer.status === 200 || answer.status === 204, answer.message);
      return answer.status === 200 ? answer.json : undefined;
    },
    report: ({ principal }, { run, lease }, body) =>
      ask('report-run', { params: { run: run.id }, headers: { 'berth-lease': lease }, body, principal }),
    shown: async (runId) => {
      const run = await runs.find(registry.id, runId);
      assert.ok(run !== undefined, `there is no run ${runId}`);
      return runs.document(run);
    },
    round: async (which) => {
      await runs.stop();
      await runs[which]();
      await runs.stop();
    },
  };
}

function requestOf(registry: Registry, asked: Asked): Parameters<Runs['routes'][number]['handle']>[0] {
  const { params = {}, query = {}, headers = {}, body, principal = operator, signal = new AbortController().signal } = asked;
  const isStream = body instanceof Readable;
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return {
    id: randomUUID(),
    registry: asked.registry ?? registry,
    principal,
    params,
    query: new URLSearchParams(query),
    headers,
    origin: 'http://localhost',
    clientAddress: '127.0.0.1',
    contentLength: isStream ? undefined : bytes.length,
    body: isStream ? body : Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false }),
    signal,
    note: () => undefined,
    log: pino({ level: 'silent' }),
  };
}

type Reply = Awaited<ReturnType<Runs['routes'][number]['handle']>>;

async function answerOf(handle: () => Promise<Reply>): Promise<Answer> {
  try {
    const { status, body } = await handle();
    const fine = { status, error: undefined, message: '' };
    if (typeof body === 'object' && 'json' in body) return { ...fine, json: body.json as never, bytes: Buffer.alloc(0) };
    const pieces: Buffer[] = [];
    if (typeof body === 'object' && 'open' in body) for await (const some of body.open()) pieces.push(...some);
    if (typeof body === 'object' && 'live' in body) for await (const some of body.live()) pieces.push(Buffer.from(some));
    return { ...fine, json: undefined as never, bytes: Buffer.concat(pieces) };
  } catch (thrown) {
    const error = asRegistryError(thrown);
    if (error.error === 'INTERNAL') throw thrown;
    return { status: error.status, json: undefined as never, bytes: Buffer.alloc(0), error: error.error, message: error.message };
  }
}

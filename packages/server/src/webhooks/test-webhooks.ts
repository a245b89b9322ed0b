import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FactRequest } from '@berth/api';
import type { TestEngine } from '@berth/testkit';
import { pino } from 'pino';
import { type LocalChange, untilSettled } from '../changes/index.ts';
import { WrappingKeyFile, openKeyRing } from '../platform/keys/index.ts';
import { createOutbound } from '../platform/outbound/index.ts';
import { openRegistries } from '../registries/index.ts';
import { type Child, type ChildrenContext, Fields, findChild, patchChild, putChild, removeChild } from '../resources/index.ts';
import type { Registry } from '../tenancy/index.ts';
import { type StoredProperties, factsOf } from './callback.ts';
import { Deliveries } from './deliver/deliveries.ts';
import { type StoredEvent, eventsOf } from './events/queries.ts';
import { followChanges } from './follow/follow-changes.ts';
import { placeManifest, writeLog } from './test-transactions.ts';
import { webhookKind } from './webhook-kind.ts';
import type { WebhookLimits, WebhooksContext } from './webhooks-context.ts';

export const dayMs = 86_400_000;
export const digestA = `sha256:${'a'.repeat(64)}`;
export const digestB = `sha256:${'b'.repeat(64)}`;
export const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** As docker asks. */
export const dockerPush: FactRequest = {
  id: '3cbb6949-7549-4fa1-86cd-a6d5451dffc7',
  host: 'myregistry.example',
  method: 'PUT',
  useragent: 'docker/17.09.0-ce go/go1.8.3',
};

/** Webhooks over a real database and real HTTP. Nothing happens by itself: tests take each step. */
export interface TestWebhooks {
  readonly context: WebhooksContext;
  /** As other processes of the deployment. */
  deliveries(): Deliveries;
  readonly clock: { time: number; now(): number };
  readonly logged: string[];
  registry: Registry;
  put(name: string, properties: object, location?: string): Promise<void>;
  patch(name: string, properties: object): Promise<void>;
  remove(name: string): Promise<void>;
  find(name: string): Promise<Child<StoredProperties>>;
  /** Writes the log as whoever changes content does. */
  log(changes: readonly LocalChange[], request?: FactRequest): Promise<void>;
  place(manifest: Partial<Parameters<typeof manifestOf>[0]>): Promise<void>;
  /** Makes events of what the log has; resolves with how many. */
  follow(): Promise<number>;
  /** Sends what is due until nothing is. */
  deliver(): Promise<void>;
  /** The oldest first. */
  events(name: string): Promise<readonly StoredEvent[]>;
}

export async function openTestWebhooks(
  engine: TestEngine,
  t: TestContext,
  options: Partial<WebhookLimits> & { readonly region?: string; readonly allow?: readonly string[] } = {},
): Promise<TestWebhooks> {
  const { region = 'westeurope', allow = ['127.0.0.1'], ...limits } = options;
  const database = await engine.open(t, { transactionsModule: new URL('./test-transactions.ts', import.meta.url) });
  const folder = await mkdtemp(join(tmpdir(), 'berth-webhooks-'));
  const clock = { time: Date.UTC(2030, 0, 1), now: () => clock.time };
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(join(folder, 'keys.json')), clock });
  const loginServer = (): string => 'myregistry.example';
  const registries = await openRegistries({ database, keys, clock, loginServer, isAnonymousPullEnabled: false, region });
  const stopping = new AbortController();
  const outbound = createOutbound({ allow });
  const testing = { registry: registries.local };
  const context: WebhooksContext = {
    database,
    keys,
    clock,
    log,
    outbound,
    region,
    registries: { all: () => [testing.registry], byId: (id) => (id === testing.registry.id ? testing.registry : undefined) },
    limits: { webhookEventRetentionMs: 30 * dayMs, webhookRetryTimeMs: dayMs, webhookDeliveries: 32, ...limits },
    wake: (registryId) => deliveries.rouse(registryId),
    signal: stopping.signal,
  };
  const deliveries = new Deliveries(context);
  t.after(async () => {
    stopping.abort();
    outbound.close();
    await deliveries.settled();
    await rm(folder, { recursive: true, force: true });
  });
  return Object.assign(testing, {
    context,
    clock,
    logged,
    deliveries: () => new Deliveries(context),
    ...stepsOf(context, testing, deliveries),
  });
}

const settleMs = 60_000;

type Steps = Omit<TestWebhooks, 'context' | 'clock' | 'logged' | 'registry' | 'deliveries'>;

function stepsOf(context: WebhooksContext, testing: { registry: Registry }, deliveries: Deliveries): Steps {
  const { database, clock } = context;
  const kind = webhookKind(context);
  const children: ChildrenContext = { database, clock, kinds: [], limitOf: () => 500 };
  const find: Steps['find'] = async (name) => {
    const found = await findChild(database.read, { registryId: testing.registry.id, kind: 'webhooks', name });
    assert.ok(found !== undefined);
    return found as Child<StoredProperties>;
  };
  const who = { by: 'test', requestedBy: 'test' };
  return {
    find,
    put: async (name, properties, location = context.region) => {
      const document = new Fields({ properties }, '');
      await putChild(children, kind as never, { registry: testing.registry, name, document, ...who, location, tags: {} });
    },
    patch: async (name, properties) => {
      const document = new Fields({ properties }, '');
      const before = (): Promise<never> => find(name) as Promise<never>;
      await patchChild(children, kind as never, { registry: testing.registry, name, document, ...who, tags: undefined, before });
    },
    remove: async (name) => void (await removeChild(children, kind as never, { registry: testing.registry, name })),
    log: async (changes, request) =>
      void (await database.write(writeLog, { registryId: testing.registry.id, changes, request, now: clock.now() })),
    place: (manifest) =>
      database.write(placeManifest, manifestOf({ registryId: testing.registry.id, now: clock.now(), ...manifest })),
    follow: async () => {
      // On PostgreSQL the log is read as far as nobody writes, in any database of the server: other tests have theirs there.
      await untilSettled(database, AbortSignal.timeout(settleMs));
      return followChanges(context, testing.registry);
    },
    deliver: async () => {
      await deliveries.begin();
      await deliveries.settled();
    },
    events: async (name) => {
      const { key } = factsOf(name, (await find(name)).properties);
      return eventsOf(database.read, { registryId: testing.registry.id, webhook: key, after: 0, limit: 1000 });
    },
  };
}

function manifestOf(given: {
  registryId: number;
  now: number;
  repository?: string;
  digest?: string;
  artifactType?: string | null;
  quarantineState?: 'Passed' | 'Failed' | null;
  tags?: readonly string[];
}): Parameters<typeof placeManifest.run>[1] {
  return {
    repository: 'hello-world',
    digest: digestA,
    mediaType: manifestType,
    artifactType: null,
    sizeBytes: 524,
    quarantineState: null,
    tags: [],
    ...given,
  };
}

/** A push of a tag as the log has it. */
export function pushOf(repository: string, tag: string, digest: string = digestA): LocalChange {
  return { action: 'tag', repository, tag, digest, content: { mediaType: manifestType, sizeBytes: 524 } };
}

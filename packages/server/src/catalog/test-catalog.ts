import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { Need } from '@berth/api';
import { mediaTypes } from '@berth/oci';
import type { TestEngine } from '@berth/testkit';
import { pino } from 'pino';
import { createBlobs } from '../blobs/index.ts';
import { asRegistryError } from '../errors/index.ts';
import { openMemoryStore, openSealedStore } from '../platform/blob-store/index.ts';
import type { Database } from '../platform/database/index.ts';
import { type CollectionSummary, createCollector } from '../platform/garbage/index.ts';
import { type ManagedKeyRing, WrappingKeyFile, openKeyRing } from '../platform/keys/index.ts';
import type { Registry } from '../tenancy/index.ts';
import { type Catalog, createCatalog } from './index.ts';
import { addRegistry } from './test-transactions.ts';
import { testRegistry } from '../tenancy/test-registry.ts';

type Route = Catalog['routes'][number];
type RouteRequest = Parameters<Route['handle']>[0];

export const transactionsModule = new URL('./test-transactions.ts', import.meta.url);

export const garbageDelayMs = 24 * 60 * 60 * 1000;

export interface TestRequest {
  readonly name?: string;
  readonly reference?: string;
  readonly digest?: string;
  readonly session?: string;
  readonly query?: URLSearchParams | Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes, or a stream that comes without a length. */
  readonly body?: Uint8Array | Readable;
  /** What `Content-Length` claims; the bytes' own length by default. */
  readonly contentLength?: number;
  readonly signal?: AbortSignal;
  /** Decides about a need; everything is allowed by default. */
  readonly permits?: (need: Need) => boolean;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly bytes: Buffer;
  /** Parsed. */
  readonly json: unknown;
  /** The row of the error catalogue, with what was said. */
  readonly error: string | undefined;
  readonly message: string;
  readonly detail: unknown;
}

/** A catalog with blobs and a collector beside it, asked through its routes. */
export interface TestCatalog {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly registry: Registry;
  readonly clock: { time: number; now(): number };
  readonly logged: string[];
  ask(operation: string, request: TestRequest): Promise<TestAnswer>;
  pushBlob(name: string, content: string | Uint8Array): Promise<string>;
  /** Pushes bytes or a document by tag, or by its digest when no reference is given; expects success. Answers with the digest. */
  push(name: string, manifest: object | Buffer, reference?: string, query?: URLSearchParams): Promise<string>;
  collect(): Promise<CollectionSummary>;
  /** The same data with nothing remembered, as after a restart. */
  restarted(): TestCatalog;
  /** Another tenant of the same deployment. */
  otherRegistry(): Promise<TestCatalog>;
  /** The same registry with other policies. */
  withPolicies(changes: Partial<Registry['policies']>): TestCatalog;
}

export async function openTestCatalog(
  engine: TestEngine,
  t: TestContext,
  given: { database?: Database; manifestCacheBytes?: number } = {},
): Promise<TestCatalog> {
  const database = given.database ?? (await engine.open(t, { transactionsModule }));
  const folder = await mkdtemp(join(tmpdir(), 'berth-catalog-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const clock = { time: 1_700_000_000_000, now: () => clock.time };
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(join(folder, 'keys.json')), clock });
  const parts: Parts = {
    t,
    database,
    keys,
    clock,
    store: openSealedStore(openMemoryStore()),
    manifestCacheBytes: given.manifestCacheBytes ?? 1 << 20,
  };
  return assemble(parts, await makeRegistry(parts));
}

interface Parts {
  readonly t: TestContext;
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: { time: number; now(): number };
  readonly store: ReturnType<typeof openSealedStore>;
  readonly manifestCacheBytes: number;
}

async function makeRegistry({ database, keys }: Parts): Promise<Registry> {
  const name = `r${randomUUID()}`;
  const id = await database.write(addRegistry, { name });
  await keys.addDataKey(id);
  return testRegistry({ id, name, loginServer: 'localhost' });
}

function assemble(parts: Parts, registry: Registry): TestCatalog {
  const { t, database, keys, clock, store } = parts;
  const logged: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void logged.push(line) });
  const common = { database, keys, clock, log, garbageDelayMs };
  const blobs = createBlobs({ ...common, store, uploadExpiryMs: garbageDelayMs });
  const catalog = createCatalog({ ...common, readBlob: blobs.read, manifestCacheBytes: parts.manifestCacheBytes });
  t.after(() => catalog.close());
  const routes = new Map([...blobs.routes, ...catalog.routes].map((route) => [route.operation.id, route]));
  const collector = createCollector({ database, clock, log, handlers: [...blobs.garbageHandlers, ...catalog.garbageHandlers] });
  const ask = (operation: string, request: TestRequest): Promise<TestAnswer> => {
    const route = routes.get(operation);
    assert.ok(route !== undefined, `there is no operation ${operation}`);
    return answerOf(route, routeRequest(registry, request));
  };
  return {
    database,
    keys,
    registry,
    clock,
    logged,
    ask,
    pushBlob: async (name, content) => {
      const body = Buffer.from(content);
      const digest = digestOf(body);
      const answer = await ask('start-upload', { name, query: { digest }, body });
      assert.equal(answer.status, 201, answer.message);
      return digest;
    },
    push: async (name, manifest, reference, query) => {
      const body = Buffer.isBuffer(manifest) ? manifest : bytesOf(manifest);
      const digest = digestOf(body);
      const answer = await ask('put-manifest', {
        name,
        reference: reference ?? digest,
        body,
        ...(query !== undefined && { query }),
      });
      assert.equal(answer.status, 201, answer.message);
      return digest;
    },
    collect: () => collector.runDue(t.signal),
    restarted: () => assemble(parts, registry),
    withPolicies: (changes) => assemble(parts, { ...registry, policies: { ...registry.policies, ...changes } }),
    otherRegistry: async () => assemble(parts, await makeRegistry(parts)),
  };
}

function routeRequest(registry: Registry, request: TestRequest): RouteRequest {
  const { name, reference, digest, session, body, permits = () => true } = request;
  const given = Object.entries({ name, reference, digest, session }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value]],
  );
  const stream = body instanceof Readable ? body : Readable.from(body === undefined ? [] : chunksOf(body), { objectMode: false });
  const length = body instanceof Readable ? undefined : (body?.length ?? 0);
  return {
    id: randomUUID(),
    registry,
    principal: { kind: 'admin', id: 'admin:test', name: 'test', permits, couldPermit: permits },
    params: Object.fromEntries(given) as Record<string, string>,
    query: new URLSearchParams(request.query),
    headers: request.headers ?? {},
    origin: 'http://localhost',
    clientAddress: '127.0.0.1',
    contentLength: request.contentLength ?? length,
    body: stream,
    signal: request.signal ?? new AbortController().signal,
    log: pino({ level: 'silent' }),
    note: () => undefined,
  };
}

/** As a socket would bring it. */
function* chunksOf(bytes: Uint8Array): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += 65_536) yield Buffer.from(bytes.subarray(start, start + 65_536));
}

async function answerOf(route: Route, request: RouteRequest): Promise<TestAnswer> {
  try {
    const { status, headers = {}, body } = await route.handle(request);
    const none = { error: undefined, message: '', detail: undefined };
    if (body === undefined) return { status, headers, bytes: Buffer.alloc(0), json: undefined, ...none };
    if (typeof body === 'string' || body instanceof Uint8Array) {
      const bytes = Buffer.from(body);
      return { status, headers: { ...headers, 'Content-Length': bytes.length }, bytes, json: parsed(bytes), ...none };
    }
    if ('json' in body) return { status, headers, bytes: Buffer.from(JSON.stringify(body.json)), json: body.json, ...none };
    assert.ok('open' in body, 'the catalog answers with nothing live');
    return {
      status,
      headers: { ...headers, 'Content-Length': body.lengthBytes },
      bytes: Buffer.alloc(0),
      json: undefined,
      ...none,
    };
  } catch (thrown) {
    const error = asRegistryError(thrown);
    if (error.error === 'INTERNAL') throw thrown;
    return {
      status: error.status,
      headers: error.headers,
      bytes: Buffer.alloc(0),
      json: undefined,
      error: error.error,
      message: error.message,
      detail: error.detail,
    };
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

export function digestOf(bytes: string | Uint8Array, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

export function bytesOf(document: object): Buffer {
  return Buffer.from(JSON.stringify(document));
}

/** A descriptor of bytes, whether or not they were pushed. */
export function descriptor(
  content: string | Uint8Array,
  mediaType = 'application/octet-stream',
): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) };
}

/** An image of blobs with these contents; they must be pushed apart. */
export function image(config: string, layers: readonly string[] = [], more: object = {}): object {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(config, 'application/vnd.oci.image.config.v1+json'),
    layers: layers.map((layer) => descriptor(layer, 'application/vnd.oci.image.layer.v1.tar')),
    ...more,
  };
}

export function index(children: readonly object[], more: object = {}): object {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: children.map((child) => descriptor(bytesOf(child), mediaTypes.ociManifest)),
    ...more,
  };
}

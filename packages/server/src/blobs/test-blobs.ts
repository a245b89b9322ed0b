import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Need } from '@berth/api';
import type { TestEngine } from '@berth/testkit';
import { pino } from 'pino';
import { asRegistryError } from '../errors/index.ts';
import { type BlobStore, openFilesystemStore, openSealedStore } from '../platform/blob-store/index.ts';
import type { Database } from '../platform/database/index.ts';
import { createCollector } from '../platform/garbage/index.ts';
import { type ManagedKeyRing, WrappingKeyFile, openKeyRing } from '../platform/keys/index.ts';
import { type Blobs, createBlobs } from './index.ts';
import { reservedPartDelayMs } from './model.ts';
import { addRegistry, deleteManifest, pushManifest } from './test-transactions.ts';
import { testRegistry } from '../tenancy/test-registry.ts';

type RouteRequest = Parameters<Blobs['routes'][number]['handle']>[0];

export const transactionsModule = new URL('./test-transactions.ts', import.meta.url);
export const garbageDelayMs = 24 * 3_600_000;
export const uploadExpiryMs = 2 * 3_600_000;

export interface TestRequest {
  readonly name?: string;
  readonly digest?: string;
  /** An upload's Location, or its id. */
  readonly session?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes come with their length; a stream comes without. */
  readonly body?: string | Uint8Array | Readable;
  readonly contentLength?: number;
  readonly user?: string;
  /** Decides about a need; everything is allowed by default. */
  readonly permits?: (need: Need) => boolean;
  readonly signal?: AbortSignal;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  /** What a client would have received. */
  readonly bytes: Buffer;
  /** `Content-Length` of a body. */
  readonly lengthBytes: number | undefined;
  /** The row of the error catalogue. */
  readonly error: string | undefined;
  readonly message: string;
}

export interface Restart {
  /** Between the server and the files. */
  readonly wrapStore?: (store: BlobStore) => BlobStore;
  readonly wrapDatabase?: (database: Database) => Database;
}

/** Blobs over a real database and real files, asked through their routes. */
export interface TestBlobs {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly registryId: number;
  readonly keys: ManagedKeyRing;
  readonly clock: { time: number; now(): number };
  readonly logged: string[];
  readonly partsFolder: string;
  ask(operation: string, request: TestRequest): Promise<TestAnswer>;
  /** In one request; expects success. */
  push(name: string, content: string | Uint8Array): Promise<string>;
  begin(name: string, request?: TestRequest): Promise<string>;
  pull(name: string, digest: string): Promise<TestAnswer>;
  pushManifest(name: string, digests: readonly string[]): Promise<string | undefined>;
  deleteManifest(name: string, digest: string): Promise<void>;
  /** Settles what is due now. */
  collect(): Promise<void>;
  /** Lets so much time pass that whatever may be collected is. */
  collectEverything(): Promise<void>;
  /** Names of the files that there are. */
  files(): Promise<string[]>;
  /** Changes a stored part on disk. */
  damage(name: string, change: (bytes: Buffer) => Buffer | undefined): Promise<void>;
  partsOf(digest: string): Promise<string[]>;
  /** The same data with nothing remembered, as after a restart. */
  restarted(options?: Restart): Promise<TestBlobs>;
}

let shared: Promise<string> | undefined;

/** One for all tests of a process, which run one after the other: a store's 256 folders take time to make. */
async function emptyFolder(t: TestContext): Promise<string> {
  shared ??= mkdtemp(join(tmpdir(), 'berth-blobs-')).then((made) => {
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    return made;
  });
  const folder = await shared;
  t.after(async () => {
    const parts = join(folder, 'parts');
    for (const name of await filesIn(parts)) await rm(join(parts, name.slice(0, 2), name));
  });
  return folder;
}

interface Ground {
  readonly t: TestContext;
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly registryId: number;
  readonly clock: { time: number; now(): number };
  readonly partsFolder: string;
  readonly segmentBytes: number | undefined;
}

export async function openTestBlobs(
  engine: TestEngine,
  t: TestContext,
  options: Restart & { readonly segmentBytes?: number; readonly maxConnections?: number } = {},
): Promise<TestBlobs> {
  const { maxConnections = 4 } = options;
  const database = await engine.open(t, { transactionsModule, maxConnections });
  const folder = await emptyFolder(t);
  const clock = { time: 1_700_000_000_000, now: () => clock.time };
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(join(folder, `${randomUUID()}.json`)), clock });
  const registryId = await database.write(addRegistry, { name: `r${randomUUID()}` });
  await keys.addDataKey(registryId);
  const partsFolder = join(folder, 'parts');
  return assemble({ t, database, keys, registryId, clock, partsFolder, segmentBytes: options.segmentBytes }, options);
}

async function assemble(
  ground: Ground,
  { wrapStore = (store) => store, wrapDatabase = (database) => database }: Restart,
): Promise<TestBlobs> {
  const { t, keys, registryId, clock, partsFolder, segmentBytes } = ground;
  const database = wrapDatabase(ground.database);
  const files = wrapStore(await openFilesystemStore(partsFolder));
  const store = openSealedStore(files, segmentBytes === undefined ? {} : { geometry: { segmentBytes } });
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  const blobs = createBlobs({ database, store, keys, clock, log, garbageDelayMs, uploadExpiryMs });
  const routes = new Map(blobs.routes.map((route) => [route.operation.id, route]));
  const collector = createCollector({ database, clock, log, handlers: blobs.garbageHandlers, retryMs: 1_000 });

  const ask = async (operation: string, request: TestRequest): Promise<TestAnswer> => {
    const route = routes.get(operation);
    assert.ok(route !== undefined, `there is no operation ${operation}`);
    const isHead = operation.startsWith('head-');
    return answerOf(() => route.handle(routeRequest(registryId, request)), isHead);
  };
  const collect = async (): Promise<void> => void (await collector.runDue(t.signal));
  const test: TestBlobs = {
    database: ground.database,
    blobs,
    registryId,
    keys,
    clock,
    logged,
    partsFolder,
    ask,
    push: async (name, content) => {
      const digest = digestOf(content);
      const answer = await ask('start-upload', { name, query: { digest }, body: content });
      assert.equal(answer.status, 201, answer.message);
      return digest;
    },
    begin: async (name, request = {}) => {
      const answer = await ask('start-upload', { ...request, name });
      assert.equal(answer.status, 202, answer.message);
      return String(answer.headers['Location']);
    },
    pull: (name, digest) => ask('get-blob', { name, digest }),
    pushManifest: async (repository, digests) => {
      const digest = digestOf(randomUUID());
      const dataKeyId = keys.current(registryId).id;
      return (await database.write(pushManifest, { registryId, repository, digest, dataKeyId, blobs: digests }))
        ? digest
        : undefined;
    },
    deleteManifest: (repository, digest) =>
      database.write(deleteManifest, { registryId, repository, digest, dueAt: clock.now() + garbageDelayMs }),
    collect,
    collectEverything: async () => {
      clock.time += uploadExpiryMs + 1;
      await blobs.expireUploads(t.signal);
      // Link, blob and part come one after the other; a part that may still be written waits longest.
      clock.time += garbageDelayMs + reservedPartDelayMs + 1;
      await collect();
    },
    files: () => filesIn(partsFolder),
    damage: async (name, change) => {
      const path = join(partsFolder, name.slice(0, 2), name);
      const changed = change(await readFile(path));
      if (changed === undefined) await rm(path);
      else await writeFile(path, changed);
    },
    partsOf: async (digest) => {
      const rows = await ground.database.read
        .selectFrom('parts')
        .innerJoin('blobs', 'blobs.id', 'parts.blob_id')
        .select('parts.name')
        .where('blobs.digest', '=', digest)
        .orderBy('parts.position')
        .execute();
      return rows.map((row) => row.name);
    },
    restarted: (options = {}) => assemble(ground, options),
  };
  return test;
}

function routeRequest(registryId: number, request: TestRequest): RouteRequest {
  const { name = 'a', digest, session, body = '', user = 'admin:test', permits = () => true } = request;
  const bytes = body instanceof Readable ? undefined : Buffer.from(body);
  const params = { name, digest, session: session?.split('/').at(-1) };
  return {
    id: randomUUID(),
    registry: testRegistry({ id: registryId, name: 'test', loginServer: 'localhost' }),
    principal: { kind: 'admin', id: user, name: user, permits, couldPermit: permits },
    params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as Record<string, string>,
    query: new URLSearchParams(request.query),
    headers: request.headers ?? {},
    origin: 'http://localhost',
    clientAddress: '127.0.0.1',
    contentLength: request.contentLength ?? bytes?.length,
    body: body instanceof Readable ? body : Readable.from(chunksOf(bytes ?? Buffer.alloc(0)), { objectMode: false }),
    signal: request.signal ?? new AbortController().signal,
    note: () => undefined,
    log: pino({ level: 'silent' }),
  };
}

/** As a socket would bring it. */
function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += 65_536) yield Buffer.from(bytes.subarray(start, start + 65_536));
}

type Reply = Awaited<ReturnType<Blobs['routes'][number]['handle']>>;

async function answerOf(handle: () => Promise<Reply>, isHead: boolean): Promise<TestAnswer> {
  try {
    const { status, headers = {}, body } = await handle();
    const head = { status, headers, error: undefined, message: '' };
    if (body === undefined) return { ...head, bytes: Buffer.alloc(0), lengthBytes: undefined };
    assert.ok(typeof body === 'object' && 'open' in body, 'blobs answer with streams');
    if (isHead || body.lengthBytes === 0) return { ...head, bytes: Buffer.alloc(0), lengthBytes: body.lengthBytes };
    const received: Buffer[] = [];
    for await (const buffers of body.open()) received.push(...buffers);
    return { ...head, bytes: Buffer.concat(received), lengthBytes: body.lengthBytes };
  } catch (thrown) {
    const error = asRegistryError(thrown);
    if (error.error === 'INTERNAL') throw thrown;
    return {
      status: error.status,
      headers: error.headers,
      bytes: Buffer.alloc(0),
      lengthBytes: undefined,
      error: error.error,
      message: error.message,
    };
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).toSorted();
}

export function digestOf(bytes: string | Uint8Array, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Lets the loop turn until something is so. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200_000; turn += 1) {
    if (condition()) return;
    await nextTurn();
  }
  assert.fail('it never came to be');
}

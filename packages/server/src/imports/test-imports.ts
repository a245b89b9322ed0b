import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { parseDigest } from '@berth/oci';
import type { Content, RandomImage, TestEngine } from '@berth/testkit';
import { pino } from 'pino';
import { type Blobs, createBlobs } from '../blobs/index.ts';
import { type Catalog, createCatalog } from '../catalog/index.ts';
import { openMemoryStore, openSealedStore } from '../platform/blob-store/index.ts';
import { WrappingKeyFile, openKeyRing } from '../platform/keys/index.ts';
import { createOutbound } from '../platform/outbound/index.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import { testRegistry } from '../tenancy/test-registry.ts';
import { type ImportInput, type ImportRun, type Imports, createImports } from './index.ts';
import type { ImportRunsLimits } from './import-runs.ts';
import { addRegistry, lockTag } from './test-transactions.ts';

export interface TestImports {
  readonly imports: Imports;
  readonly blobs: Blobs;
  readonly catalog: Catalog;
  readonly registry: Registry;
  readonly clock: { time: number; now(): number };
  lockTag(name: string): Promise<void>;
  /** Pauses that were made, in milliseconds; none takes any time. */
  readonly waits: number[];
  readonly logged: string[];
  /** Another tenant of the same deployment. */
  addRegistry(changes?: Partial<Registry>): Promise<Registry>;
  /** Who may pull from registries of the deployment. */
  mayPull: (registry: Registry, username: string | undefined) => boolean;
  start(input: TestInput): ImportRun;
  /** Runs an import to its end, and expects that it succeeds. */
  import(input: TestInput): Promise<ImportRun>;
  /** Runs an import to its end, and expects that it fails with this row of the catalogue. */
  refuse(input: TestInput, error: string): Promise<ImportRun>;
  /** What a tag names now. */
  tag(name: string, registry?: Registry): Promise<string | undefined>;
  /** Pushes an image into a registry of the deployment. */
  push(registry: Registry, repository: string, image: RandomImage, tags: readonly string[]): Promise<void>;
  /** Fails unless the repository has these bytes as a manifest. */
  requireManifest(repository: string, manifest: Content, registry?: Registry): Promise<void>;
  /** Fails unless the repository has the image with its exact bytes. */
  requireImage(repository: string, image: RandomImage, registry?: Registry): Promise<void>;
}

export type TestInput = Partial<ImportInput> & Pick<ImportInput, 'source' | 'sourceImage'>;

export async function openTestImports(
  engine: TestEngine,
  t: TestContext,
  limits: Partial<ImportRunsLimits> = {},
): Promise<TestImports> {
  const database = await engine.open(t, { transactionsModule: new URL('./test-transactions.ts', import.meta.url) });
  const folder = await mkdtemp(join(tmpdir(), 'berth-imports-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const clock = { time: 1_700_000_000_000, now: () => clock.time };
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(join(folder, 'keys.json')), clock });
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  const common = { database, keys, clock, log, garbageDelayMs: 86_400_000 };
  const blobs = createBlobs({ ...common, store: openSealedStore(openMemoryStore()), uploadExpiryMs: 86_400_000 });
  const catalog = createCatalog({ ...common, readBlob: blobs.read, manifestCacheBytes: 1 << 20 });
  const outbound = createOutbound({ allow: ['127.0.0.1'], limits: { idleMs: 2000 } });
  const waits: number[] = [];
  const registries: Registry[] = [];
  const imports = createImports({
    blobs,
    catalog,
    outbound,
    clock,
    log,
    limits,
    wait: async (delayMs, signal) => {
      signal.throwIfAborted();
      waits.push(delayMs);
    },
    findLocal: (host) => registries.find(({ loginServer }) => loginServer === host),
    signIn: async (registry, credentials) => principal(() => test.mayPull(registry, credentials?.username)),
  });
  t.after(async () => {
    await imports.stop();
    outbound.close();
    await catalog.close();
  });
  const add = async (changes: Partial<Registry> = {}): Promise<Registry> => {
    const name = `r${randomUUID()}`;
    const id = await database.write(addRegistry, { name });
    await keys.addDataKey(id);
    const registry = testRegistry({ id, name, loginServer: `${name}.example`, ...changes });
    registries.push(registry);
    return registry;
  };
  const registry = await add();
  const test: TestImports = {
    ...runner(imports, registry, logged),
    imports,
    blobs,
    catalog,
    registry,
    clock,
    waits,
    logged,
    addRegistry: add,
    mayPull: () => false,
    lockTag: (name) => database.write(lockTag, { name }),
    tag: (name, { id } = registry) => {
      const [repository = '', reference = ''] = name.split(':');
      return catalog.find({ registryId: id, repository, reference });
    },
    push: (target, repository, image, tags) => pushImage({ blobs, catalog }, { registryId: target.id, repository }, image, tags),
    requireManifest: (repository, manifest, { id } = registry) =>
      requireManifest(catalog, { registryId: id, repository }, manifest),
    requireImage: (repository, image, { id } = registry) =>
      requireImage({ blobs, catalog }, { registryId: id, repository }, image),
  };
  return test;
}

function runner(
  imports: Imports,
  registry: Registry,
  logged: readonly string[],
): Pick<TestImports, 'import' | 'refuse' | 'start'> {
  const start = (input: TestInput): ImportRun =>
    imports.start({
      registry,
      clientAddress: '127.0.0.1',
      targetTags: ['copy:v1'],
      untaggedTargetRepositories: [],
      mode: 'NoForce',
      principalId: 'admin:test',
      ...input,
    });
  return {
    start,
    import: async (input) => {
      const run = start(input);
      await run.ended;
      assert.equal(run.status, 'succeeded', `${run.error?.message}\n${logged.join('')}`);
      return run;
    },
    refuse: async (input, error) => {
      const run = start(input);
      await run.ended;
      assert.equal(run.status, 'failed');
      assert.equal(run.error?.error, error, `${run.error?.message}\n${logged.join('')}`);
      return run;
    },
  };
}

interface Place {
  readonly registryId: number;
  readonly repository: string;
}

interface Contents {
  readonly blobs: Blobs;
  readonly catalog: Catalog;
}

async function pushImage({ blobs, catalog }: Contents, place: Place, image: RandomImage, tags: readonly string[]): Promise<void> {
  const { signal } = new AbortController();
  for (const { digest, bytes } of [image.config, ...image.layers]) {
    // What is stored is sealed in place.
    const body = Readable.from([Buffer.from(bytes)], { objectMode: false });
    const name = { ...place, digest: parseDigest(digest), principalId: 'admin:test' };
    await blobs.upload({ ...name, body, sizeBytes: bytes.length, signal });
  }
  const { digest, bytes, mediaType } = image.manifest;
  await catalog.push({ ...place, digest: parseDigest(digest), bytes, mediaType, tags, mayMoveTags: true });
}

async function requireManifest(catalog: Catalog, place: Place, manifest: Content): Promise<void> {
  const found = await catalog.read({ ...place, reference: manifest.digest, hidesQuarantined: false });
  assert.ok(found.bytes.equals(manifest.bytes));
  assert.equal(found.mediaType, manifest.mediaType);
}

async function requireImage({ blobs, catalog }: Contents, place: Place, image: RandomImage): Promise<void> {
  await requireManifest(catalog, place, image.manifest);
  for (const { digest, bytes } of [image.config, ...image.layers]) {
    const chunks: Buffer[] = [];
    const { signal } = new AbortController();
    for await (const chunk of blobs.open({ ...place, digest: parseDigest(digest) }, signal)) chunks.push(Buffer.from(chunk));
    assert.ok(Buffer.concat(chunks).equals(bytes), digest);
  }
}

function principal(permits: () => boolean): Principal {
  return { kind: 'identity', id: 'identity:test', name: 'test', permits, couldPermit: permits };
}

import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Assignment, RunStep } from '@berth/api';
import { type SpawnedRegistry, type TestNetwork, openTestNetwork, spawnRegistry } from '@berth/testkit';
import { BuildCaches } from '../agent/build-caches.ts';
import { removeFiles } from '../agent/remove-files.ts';
import { type WorkFolder, openWorkFolder } from '../agent/work-folder.ts';
import type { Engine } from '../engine/index.ts';
import { Masks } from '../log/index.ts';
import { executeRun } from './execute-run.ts';
import type { RunEnd, RunHost, RunStop } from './run-host.ts';

/** What tests of runs with a real engine share. */

interface OpenedEngine {
  readonly engine: Engine;
  stop(): Promise<void>;
}

export interface Session {
  readonly engine: Engine;
  readonly registry: SpawnedRegistry;
  readonly folder: string;
  readonly workFolder: WorkFolder;
  readonly caches: BuildCaches;
}

interface RunOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly assignment?: Partial<Assignment>;
  readonly stop?: Promise<RunStop>;
  readonly secrets?: Readonly<Record<string, string>>;
  onLine?(step: string, text: string): void;
}

interface Executed {
  readonly id: string;
  readonly end: RunEnd;
  readonly steps: readonly RunStep[];
  /** `step stream text`. */
  readonly log: readonly string[];
}

let count = 0;

export async function execute(session: Session, work: Assignment['work'], options: RunOptions = {}): Promise<Executed> {
  const { engine, registry, folder } = session;
  count += 1;
  const id = count;
  const own = await mkdtemp(join(folder, 'run-'));
  const secretsFolder = join(own, 'secrets');
  await mkdir(secretsFolder);
  const log: string[] = [];
  const masks = new Masks();
  let steps: readonly RunStep[] = [];
  const stop = new AbortController();
  void options.stop?.then((reason) => stop.abort(reason));
  const host: RunHost = {
    assignment: {
      run: {
        id: `r${id}`,
        registry: registry.host,
        registryName: 'test',
        date: '20260101-000000z',
        taskName: 't',
        triggeredBy: 'test',
        commit: '',
        branch: '',
      },
      lease: 'lease',
      leaseSeconds: 60,
      timeoutSeconds: 3600,
      work,
      source: { kind: 'upload', id: 'x' },
      platform: { os: 'Linux', architecture: 'amd64' },
      values: [],
      logins: loginsOf(session),
      isTrusted: true,
      cacheKey: 'test',
      logFrom: 0,
      ...options.assignment,
    },
    agent: { name: 'tester', version: '1.2.3' },
    agentId: `agent-${process.pid}`,
    folder: own,
    secretsFolder,
    limits: {
      outputBytes: 2 ** 30,
      memoryBytes: 256 * 2 ** 20,
      processes: 100,
      diskBytes: 2 ** 30,
      allowsPrivileged: false,
      allowsEngineSocket: false,
    },
    signal: stop.signal,
    openCache: (space, { prepare }) => session.caches.open(space, prepare),
    inMemory: (name) => session.workFolder.inMemory(name),
    log: (step, stream, text) => {
      log.push(`${step} ${stream} ${text}`);
      options.onLine?.(step, text);
    },
    steps: (states) => {
      steps = states;
    },
    fetchSource: async (workspace) => {
      for (const [name, text] of Object.entries(options.files ?? {})) {
        await mkdir(dirname(join(workspace, name)), { recursive: true });
        await writeFile(join(workspace, name), text);
      }
      await copyFile('/bin/busybox', join(workspace, 'busybox'));
      return { commit: 'c0ffee', branch: 'main' };
    },
    fetchDocument: (name, workspace) => readFile(join(workspace, name), 'utf8'),
    resolveSecrets: async (sources) => {
      for (const { id } of sources) masks.add(options.secrets?.[id] ?? '');
      return new Map(sources.map(({ id }) => [id, options.secrets?.[id] ?? '']));
    },
    mask: (secret) => masks.add(secret),
    hide: (text) => masks.apply(text),
  };
  const end = await executeRun(host, engine);
  await rm(own, { recursive: true, force: true });
  return { id: `r${id}`, end, steps, log };
}

/** What of its tests an engine is tried with. */
export interface EngineScope {
  readonly runsContainers: boolean;
  /** False: what is the same program of ours for every engine is tried with Docker alone, except in the long form. */
  readonly isWhole: boolean;
}

const isLong = process.env['BERTH_LONG'] === '1';

/** Defines tests with an engine; where it is missing they are skipped, or fail if BERTH_REQUIRE names it. */
export function suite(
  name: string,
  reason: string | undefined,
  {
    open,
    define,
  }: {
    open(network: TestNetwork, registry: string): Promise<OpenedEngine>;
    define(get: () => Session, scope: EngineScope): void;
  },
): void {
  if (reason !== undefined) {
    const isRequired = (process.env['BERTH_REQUIRE'] ?? '').split(',').includes(name);
    if (isRequired) test(`${name} is there`, () => assert.fail(reason));
    else describe(name, { skip: reason }, () => {});
    return;
  }
  describe(`runs with ${name}`, () => {
    const opened = new AsyncDisposableStack();
    let session: Session;
    before(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'berth-runs-'));
      opened.defer(() => rm(folder, { recursive: true, force: true }));
      const network = opened.adopt(await openTestNetwork(), (each) => each.close());
      const { address: host, startedBy } = network;
      const registry = await spawnRegistry({ dataDir: join(folder, 'data'), host, port: 5000, startedBy });
      opened.defer(async () => void (await registry.stop()));
      const { engine } = opened.adopt(await open(network, registry.host), (each) => each.stop());
      const workFolder = opened.adopt(openWorkFolder(join(folder, 'work')), (each) => each.release());
      const remove = (path: string): Promise<void> => removeFiles(path, engine);
      const caches = new BuildCaches(workFolder.cachesFolder, {
        maxBytes: 2 ** 30,
        remove,
        forget: (space) => remove(workFolder.inMemory(space)),
        now: () => performance.now(),
        log: (message) => assert.fail(message),
      });
      opened.defer(() => removeFiles(workFolder.cachesFolder, engine));
      session = { engine, registry, folder, workFolder, caches };
    });
    after(() => opened.disposeAsync());
    define(() => session, { runsContainers: name !== 'buildah', isWhole: name === 'docker' || isLong });
  });
}

/** Everything that carries a label of the agent's. */
export async function leftovers({ engine }: Session): Promise<readonly string[]> {
  if (engine.name === 'buildah') return [];
  const lists = [
    ['ps', '--all'],
    ['network', 'ls'],
    ['volume', 'ls'],
  ];
  const found: string[] = [];
  for (const list of lists) {
    const output = await engine.query([...list, '--quiet', '--filter', `label=berth.agent=agent-${process.pid}`]);
    found.push(...output.split('\n').filter((line) => line !== ''));
  }
  return found;
}

export function loginsOf({ registry }: Session): Assignment['logins'] {
  return [{ server: registry.host, username: registry.username, password: registry.password, isPlainHttp: true }];
}

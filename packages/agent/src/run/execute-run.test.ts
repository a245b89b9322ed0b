import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Assignment, RunStep } from '@berth/api';
import { type DockerDaemon, type StartedRegistry, missingForDocker, startDockerDaemon, startRegistry } from '@berth/testkit';
import { type Engine, cleanUp, findEngine } from '../engine/index.ts';
import { executeRun } from './execute-run.ts';
import type { RunEnd, RunHost, RunStop } from './run-host.ts';

interface Session {
  readonly engine: Engine;
  readonly registry: StartedRegistry;
  readonly folder: string;
}

interface RunOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly assignment?: Partial<Assignment>;
  readonly stop?: Promise<RunStop>;
  readonly secrets?: Readonly<Record<string, string>>;
  onLine?(step: string, text: string): void;
}

interface Executed {
  readonly end: RunEnd;
  readonly steps: readonly RunStep[];
  /** `step stream text`. */
  readonly log: readonly string[];
}

let count = 0;

async function execute(
  { engine, registry, folder }: Session,
  work: Assignment['work'],
  options: RunOptions = {},
): Promise<Executed> {
  count += 1;
  const own = await mkdtemp(join(folder, 'run-'));
  const secretsFolder = join(own, 'secrets');
  await mkdir(secretsFolder);
  const log: string[] = [];
  let steps: readonly RunStep[] = [];
  const stop = new AbortController();
  void options.stop?.then((reason) => stop.abort(reason));
  const host: RunHost = {
    assignment: {
      run: {
        id: `r${count}`,
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
      logins: [{ server: registry.host, username: registry.username, password: registry.password }],
      isTrusted: true,
      cacheKey: 'test',
      ...options.assignment,
    },
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
    log: (step, stream, text) => {
      log.push(`${step} ${stream} ${text}`);
      if (process.env['DBG']) console.error(step, stream, text);
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
    resolveSecrets: (sources) => Promise.resolve(new Map(sources.map(({ id }) => [id, options.secrets?.[id] ?? '']))),
    mask: () => {},
  };
  const end = await executeRun(host, engine);
  await rm(own, { recursive: true, force: true });
  return { end, steps, log };
}

/** A system of one program, with a shell. */
const system = 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "/bin"]\nCMD ["sh"]\n';

const sixSteps = `version: v1.1.0
steps:
  - id: app
    build: -t $Registry/web:$ID -f web/Dockerfile .
  - id: running
    cmd: $Registry/web:$ID
    detach: true
  - id: tests
    build: -t web-tests -f tests/Dockerfile .
    when: [app]
  - id: check
    cmd: web-tests sh -c "wget -qO /workspace/answer http://running:8080/"
    retries: 5
    retryDelay: 1
    when: [running, tests]
  - id: note
    cmd: web-tests sh -c "test -s /workspace/answer && echo checked > /workspace/note"
    entryPoint: ""
  - push: [$Registry/web:$ID, '$Registry/web:latest']
    when: [note]
`
  .replace('-t $Registry/web:$ID -f', '-t $Registry/web:$ID -t $Registry/web:latest -f')
  .replace('\n    entryPoint: ""', '');

const sixStepFiles = {
  'base/Dockerfile': system,
  'web/Dockerfile': `${system}RUN mkdir /www && echo hello > /www/index.html\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
  'tests/Dockerfile': `${system}WORKDIR /\nCMD ["sh"]\n`,
};

function suite(
  name: string,
  reason: string | undefined,
  open: () => Promise<{ readonly engine: Engine; stop(): Promise<void> }>,
): void {
  if (reason !== undefined) {
    const isRequired = (process.env['BERTH_REQUIRE'] ?? '').split(',').includes(name);
    if (isRequired) test(`${name} is there`, () => assert.fail(reason));
    else describe(name, { skip: reason }, () => {});
    return;
  }
  describe(`runs with ${name}`, () => {
    let opened: { readonly engine: Engine; stop(): Promise<void> } | undefined;
    let session: Session;
    before(async () => {
      opened = await open();
      session = {
        engine: opened.engine,
        registry: await startRegistry(),
        folder: await mkdtemp(join(tmpdir(), 'berth-runs-')),
      };
    });
    after(async () => {
      await session.registry.stop();
      await opened?.stop();
      await rm(session.folder, { recursive: true, force: true });
    });
    defineTests(() => session);
  });
}

function defineTests(get: () => Session): void {
  test('six steps: build, run detached, build tests, run them against it by its name, use the workspace, push', async () => {
    const session = get();
    const files = { ...sixStepFiles, 'acb.yaml': sixSteps };
    const { end, steps, log } = await execute(session, { kind: 'file', path: 'acb.yaml' }, { files });
    assert.equal(end.outcome, 'Succeeded', log.join('\n'));
    assert.deepEqual(
      steps.map(({ state }) => state),
      steps.map(() => 'succeeded'),
    );
    assert.equal(end.images.length, 2);
    await cleanUp(session.engine, `agent-${process.pid}`);
  });
}

let daemon: DockerDaemon | undefined;
suite('docker', missingForDocker(), async () => {
  daemon = await startDockerDaemon();
  const engine = await findEngine({ wanted: 'docker', host: daemon.host, log: () => {} });
  return { engine, stop: async () => daemon?.stop() };
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { LogRecord, Run } from '@berth/api';
import {
  RegistryClient,
  type SpawnOptions,
  type SpawnedRegistry,
  type TestNetwork,
  openTestNetwork,
  spawnRegistry,
} from '@berth/testkit';
import { findProgram, runProgram } from '../clients/client-program.ts';
import { StartedAgent, textOf } from './started-agent.ts';
import { type TaskEngine, startTaskEngine } from './task-engine.ts';

/** Programs that the tests of tasks take on Debian, beside Node.js. */
export const taskPrograms = ['dockerd', 'docker', 'busybox', 'tar'] as const;

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartAgentOptions {
  readonly name?: string;
  readonly args?: readonly string[];
  /** Takes runs of this pool alone. */
  readonly agentPool?: string;
}

/** A server, a container engine and agents, all real, in a network of their own. */
export class TaskWorld {
  readonly folder: string;
  readonly network: TestNetwork;
  readonly port: number;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #agents: StartedAgent[] = [];
  #engine: TaskEngine | undefined;
  #server: SpawnedRegistry | undefined;
  /** By pool; undefined: of none. */
  readonly #agentKeys = new Map<string | undefined, string>();

  private constructor(
    folder: string,
    network: TestNetwork,
    { port, settings }: { readonly port: number; readonly settings: Readonly<Record<string, string>> },
  ) {
    this.folder = folder;
    this.network = network;
    this.port = port;
    this.#settings = settings;
  }

  /** Starts server and engine; agents are started by the test. With `tls: auto`, this process and both trust the server's authority. */
  static async open(settings: Readonly<Record<string, string>> = {}): Promise<TaskWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-tasks-'));
    const network = await openTestNetwork();
    // The network is the test's own: every port of it is free, and a server that starts again keeps its name.
    const world = new TaskWorld(folder, network, { port: 5000, settings });
    try {
      await world.startServer();
      const { authorityFile } = world;
      if (authorityFile !== undefined)
        setDefaultCACertificates([...getCACertificates('default'), await readFile(authorityFile, 'utf8')]);
      const trust = authorityFile === undefined ? { insecure: [world.host] } : { authorityFile };
      world.#engine = await startTaskEngine(network, trust);
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  /** `address:port`, with which names of images begin. */
  get host(): string {
    return `${this.network.address}:${this.port}`;
  }

  get url(): string {
    return `${this.authorityFile === undefined ? 'http' : 'https'}://${this.host}`;
  }

  /** PEM file of the authority that signed the server's certificate; only with TLS. */
  get authorityFile(): string | undefined {
    return this.#settings['tls'] === 'auto' ? join(this.folder, 'data', 'tls', 'authority.pem') : undefined;
  }

  get engine(): TaskEngine {
    if (this.#engine === undefined) throw new Error('the engine does not run');
    return this.#engine;
  }

  get server(): SpawnedRegistry {
    if (this.#server === undefined) throw new Error('the server does not run');
    return this.#server;
  }

  get client(): RegistryClient {
    return new RegistryClient(this.server);
  }

  /** @param more settings and variables of this start alone */
  async startServer(more: Pick<SpawnOptions, 'settings' | 'env'> = {}): Promise<void> {
    this.#server = await spawnRegistry({
      dataDir: join(this.folder, 'data'),
      host: this.network.address,
      port: this.port,
      startedBy: this.network.startedBy,
      settings: { outboundAllow: '198.18.0.0/15', ...this.#settings, ...more.settings },
      env: more.env ?? {},
    });
  }

  /** Starts an agent and returns once it is known to the server. */
  async startAgent(options: StartAgentOptions = {}): Promise<StartedAgent> {
    const name = options.name ?? `agent-${this.#agents.length}`;
    const key = await this.#keyOf(options.agentPool);
    const program = fileURLToPath(import.meta.resolve('@berth/agent/main'));
    const own = ['--name', name, '--work', join(this.folder, `work-${name}`), '--engine', 'docker', '--concurrency', '4'];
    const args = ['--conditions=source', program, ...own, ...(options.args ?? [])];
    const [command, ...before] = [...this.network.startedBy, process.execPath];
    const child = spawn(command, [...before, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `/usr/bin:${process.env['PATH']}`,
        HOME: this.folder,
        BERTH_SERVER: this.url,
        BERTH_AGENT_KEY: key,
        DOCKER_HOST: this.engine.host,
        ...(this.authorityFile !== undefined && { BERTH_CA: this.authorityFile }),
      },
    });
    const agent = new StartedAgent(child, name);
    this.#agents.push(agent);
    await this.#untilKnown(agent);
    return agent;
  }

  /** `npx berth …`, signed in as the admin user. */
  async berth(
    args: readonly string[],
    {
      cwd = this.folder,
      env = {},
      input,
    }: { readonly cwd?: string; readonly env?: Record<string, string>; readonly input?: string } = {},
  ): Promise<CommandResult> {
    const program = fileURLToPath(new URL('../../packages/cli/bin/berth.js', import.meta.url));
    const child = spawn(process.execPath, [program, ...args], {
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: this.folder,
        BERTH_SERVER: this.url,
        BERTH_USERNAME: this.server.username,
        BERTH_PASSWORD: this.server.password,
        ...(this.authorityFile !== undefined && { NODE_EXTRA_CA_CERTS: this.authorityFile }),
        ...env,
      },
    });
    child.stdin.on('error', () => undefined).end(input ?? '');
    const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout: stdout(), stderr: stderr() };
  }

  /** JSON of the data plane, as the admin user. */
  async call(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly json: unknown }> {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    using client = this.client;
    const answer = await client.request(method, path, {
      authorization: client.basic,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: answer.body.length === 0 ? undefined : JSON.parse(answer.body.toString()) };
  }

  async run(id: string): Promise<Run> {
    return (await this.call('GET', `/berth/v1/runs/${id}`)).json as Run;
  }

  async log(id: string): Promise<readonly LogRecord[]> {
    const records: LogRecord[] = [];
    for (let from: number | null = 0; from !== null; ) {
      const { json } = await this.call('GET', `/berth/v1/runs/${id}/log?from=${from}&limit=1000`);
      const page = json as { readonly records: readonly LogRecord[]; readonly next: number | null };
      records.push(...page.records);
      from = page.records.length === 0 ? null : page.next;
    }
    return records;
  }

  /** Asks again and again until the answer is one; fails after a while with what was seen last. */
  async until<Value>(what: string, look: () => Promise<Value | undefined>, withinMs = 60_000): Promise<Value> {
    const end = performance.now() + withinMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`${what} did not come within ${withinMs} ms`);
      await pause(50);
    }
  }

  /** The run once it has ended. */
  ended(id: string, withinMs?: number): Promise<Run> {
    const look = async (): Promise<Run | undefined> => {
      const run = await this.run(id);
      return run.finishedAt === null ? undefined : run;
    };
    return this.until(`the end of run ${id}`, look, withinMs);
  }

  /** Writes files below a folder of the world; the folder's path. */
  async write(name: string, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
    const folder = join(this.folder, name);
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    return folder;
  }

  /** Builds an image with these programs of the machine, their libraries and a shell, and pushes it as a base for others. */
  async pushTools(image: string, programs: readonly string[]): Promise<void> {
    const folder = await mkdtemp(join(this.folder, 'tools-'));
    await mkdir(join(folder, 'root/bin'), { recursive: true });
    const copied = new Set<string>();
    for (const program of programs) {
      const path = findProgram(program) ?? program;
      const { stdout } = await runProgram('/usr/bin/ldd', [path]).catch(() => ({ stdout: '' }));
      for (const [library] of stdout.matchAll(/\/\S+(?= \(0x)/g)) copied.add(library);
      await runProgram('/bin/cp', ['--dereference', path, join(folder, 'root/bin')]);
    }
    for (const path of copied) {
      await mkdir(join(folder, 'root', dirname(path)), { recursive: true });
      await runProgram('/bin/cp', ['--dereference', path, join(folder, 'root', path)]);
    }
    await runProgram('/bin/cp', [findProgram('busybox') ?? '/bin/busybox', join(folder, 'root/bin/busybox')]);
    const lines = ['FROM scratch', 'COPY root/ /', 'RUN ["/bin/busybox", "--install", "-s", "/bin"]', 'ENV PATH=/bin'];
    await writeFile(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
    await this.pushImage(folder, image);
  }

  /** Builds a folder with the engine itself, as a user without Berth would, and pushes it. */
  async pushImage(folder: string, image: string): Promise<void> {
    const name = `${this.host}/${image}`;
    await this.signIn();
    await this.engine.docker(['build', '--tag', name, folder], { env: { DOCKER_BUILDKIT: '1' } });
    await this.engine.docker(['push', name]);
  }

  /** Lets the tests' own commands at the engine pull and push. */
  async signIn(): Promise<void> {
    const { username, password } = this.server;
    await this.engine.docker(['login', this.host, '--username', username, '--password-stdin'], { input: password });
  }

  async digest(repository: string, tag: string): Promise<string> {
    using client = this.client;
    const answer = await client.request('HEAD', `/v2/${repository}/manifests/${tag}`, {
      authorization: client.basic,
      headers: {
        accept:
          'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json',
      },
    });
    return String(answer.headers['docker-content-digest']);
  }

  async close(): Promise<void> {
    for (const agent of this.#agents) await agent.stop();
    await this.#engine?.stop();
    await this.#server?.stop();
    await this.network.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #keyOf(agentPool: string | undefined): Promise<string> {
    const known = this.#agentKeys.get(agentPool);
    if (known !== undefined) return known;
    const body = { name: `tests-${this.#agentKeys.size}`, ...(agentPool !== undefined && { agentPool }) };
    const { status, json } = await this.call('POST', '/berth/v1/agent-keys', body);
    if (status !== 201) throw new Error(`no agent key: ${JSON.stringify(json)}`);
    const { key } = json as { readonly key: string };
    this.#agentKeys.set(agentPool, key);
    return key;
  }

  async #untilKnown(agent: StartedAgent): Promise<void> {
    await this.until(`the agent ${agent.name}`, async () => {
      if (agent.hasEnded) throw new Error(`the agent ended at its start:\n${agent.said}`);
      const { json } = await this.call('GET', '/berth/v1/agents');
      const { agents } = json as { readonly agents: readonly { readonly name: string; readonly isOnline: boolean }[] };
      return agents.find(({ name, isOnline }) => name === agent.name && isOnline);
    });
  }
}

/** A file of the tests' own fixtures. */
export function fixture(name: string): Promise<string> {
  return readFile(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
}

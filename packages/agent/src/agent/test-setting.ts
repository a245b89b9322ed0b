import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord, Run, RunToQueue } from '@berth/api';
import { RegistryClient, type StartedRegistry, startRegistry } from '@berth/testkit';
import { Engine } from '../engine/index.ts';
import type { RunLimits } from '../run/run-host.ts';
import type { AgentOptions } from './agent-options.ts';
import { type Agent, startAgent } from './agent.ts';
import type { ExecuteRun } from './keep-run.ts';

export const limits: RunLimits = {
  outputBytes: 2 ** 24,
  memoryBytes: 2 ** 30,
  processes: 100,
  diskBytes: 2 ** 30,
  allowsPrivileged: false,
  allowsEngineSocket: false,
};

/** A program that does nothing in the place of an engine: what executes runs here asks it for nothing. */
const idleEngine = new Engine(
  process.execPath,
  {},
  {
    name: 'buildah',
    version: '1',
    os: 'Linux',
    architectures: ['amd64'],
    limitsSwap: false,
    separatesCaches: true,
    idsAreManifests: false,
    pluginFolders: [],
  },
);

/** A way to the server that tests can close. */
class Gate {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOpen = true;

  constructor(port: number) {
    this.#server = createServer((socket) => {
      socket.on('error', () => {});
      if (!this.#isOpen) {
        socket.destroy();
        return;
      }
      const onward = connect(port, '127.0.0.1');
      onward.on('error', () => socket.destroy());
      for (const each of [socket, onward]) {
        this.#sockets.add(each);
        each.on('close', () => this.#sockets.delete(each));
      }
      socket.on('close', () => onward.destroy());
      socket.pipe(onward).pipe(socket);
    });
  }

  async open(): Promise<URL> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    assert.ok(typeof address === 'object' && address !== null);
    return new URL(`http://127.0.0.1:${address.port}`);
  }

  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    if (!isOpen) for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.isOpen = false;
    this.#server.close();
  }
}

/** A real server, and agents that work for it. */
export class Setting {
  readonly registry: StartedRegistry;
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-agent-'));
  readonly said: string[] = [];
  readonly gate: Gate;
  readonly #listeners = new Set<(line: string) => void>();
  readonly #client: RegistryClient;
  readonly #agents: Agent[] = [];
  #server: URL | undefined;
  #key = '';

  private constructor(registry: StartedRegistry) {
    this.registry = registry;
    this.#client = new RegistryClient({ ...registry, scheme: 'basic' });
    this.gate = new Gate(Number(new URL(registry.url).port));
  }

  static async open(): Promise<Setting> {
    const setting = new Setting(await startRegistry());
    setting.#server = await setting.gate.open();
    const { key } = (await setting.ask('POST', '/berth/v1/agent-keys', { name: 'agents' })) as { readonly key: string };
    setting.#key = key;
    return setting;
  }

  async ask(method: string, path: string, body?: object): Promise<unknown> {
    const { status, body: answer } = await this.#client.request(method, path, {
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    assert.ok(status >= 200 && status < 300, `${method} ${path}: ${status} ${answer.toString()}`);
    return answer.length === 0 ? undefined : (JSON.parse(answer.toString()) as unknown);
  }

  async upload(archive: Buffer): Promise<string> {
    const { status, body } = await this.#client.request('POST', '/berth/v1/sources', { body: archive });
    assert.equal(status, 201, body.toString());
    return (JSON.parse(body.toString()) as { readonly id: string }).id;
  }

  options(more: Partial<AgentOptions> = {}): AgentOptions {
    assert.ok(this.#server !== undefined);
    return {
      server: this.#server,
      key: this.#key,
      authority: undefined,
      name: 'test',
      engine: 'buildah',
      engineHost: undefined,
      concurrency: 1,
      workFolder: join(this.folder, 'work'),
      limits,
      idleExitSeconds: undefined,
      graceSeconds: 0,
      endsWithInput: false,
      ...more,
    };
  }

  async start(execute: ExecuteRun, more: Partial<AgentOptions> = {}): Promise<Agent> {
    const parts = { execute, engine: idleEngine, now: () => Date.now(), log: (line: string) => this.#hear(line) };
    const agent = await startAgent(this.options(more), parts);
    this.#agents.push(agent);
    return agent;
  }

  /** Resolves when an agent has said so. */
  untilSaid(what: RegExp): Promise<void> {
    return new Promise((resolve) => {
      if (this.said.some((line) => what.test(line))) resolve();
      else this.#listeners.add((line) => what.test(line) && resolve());
    });
  }

  #hear(line: string): void {
    this.said.push(line);
    for (const listener of this.#listeners) listener(line);
  }

  /** The id of a run that is queued now. */
  async queue(more: Partial<RunToQueue> = {}): Promise<string> {
    const work = { kind: 'inline', content: 'steps:\n  - cmd: app\n' } as const;
    return ((await this.ask('POST', '/berth/v1/runs', { work, ...more })) as Run).id;
  }

  async run(id: string): Promise<Run> {
    return (await this.ask('GET', `/berth/v1/runs/${id}`)) as Run;
  }

  /** The run once it is so, and what it shows on the way does not matter. */
  async until(id: string, is: (run: Run) => boolean): Promise<Run> {
    const end = performance.now() + 40_000;
    for (;;) {
      const run = await this.run(id);
      if (is(run)) return run;
      assert.ok(performance.now() < end, `the run stays as it is: ${JSON.stringify(run)}\n${this.said.join('\n')}`);
      await new Promise((resolve) => void setTimeout(resolve, 50));
    }
  }

  ended(id: string): Promise<Run> {
    return this.until(id, ({ finishedAt }) => finishedAt !== null);
  }

  async log(id: string): Promise<readonly LogRecord[]> {
    const all: LogRecord[] = [];
    for (;;) {
      const page = (await this.ask('GET', `/berth/v1/runs/${id}/log?limit=1000&from=${all.length}`)) as { records: LogRecord[] };
      if (page.records.length === 0) return all;
      all.push(...page.records);
    }
  }

  /** What runs left on disk. */
  leftovers(): readonly string[] {
    return readdirSync(join(this.folder, 'work', 'runs'));
  }

  async close(): Promise<void> {
    for (const agent of this.#agents) agent.stopNow();
    await Promise.allSettled(this.#agents.map(({ ended }) => ended));
    this.gate.close();
    await this.registry.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

import { readFileSync } from 'node:fs';
import type { Assignment, ClaimRequest } from '@berth/api';
import { type Engine, cleanUp, findEngine } from '../engine/index.ts';
import { ServerClient, ServerError } from '../server-client/index.ts';
import { prepareSpace } from '../run/build-space.ts';
import type { AgentOptions } from './agent-options.ts';
import { BuildCaches } from './build-caches.ts';
import { type ExecuteRun, keepRun } from './keep-run.ts';
import { Pauses } from './pauses.ts';
import { AgentRefusal, exitCodes } from './refusal.ts';
import { removeFiles } from './remove-files.ts';
import { type WorkFolder, openWorkFolder } from './work-folder.ts';

const waitSeconds = 30;
/** How long the ends of runs are reported after the agent was told to end: a server that is gone hears of them by their leases. */
const lastReportsMs = 10_000;

export interface AgentParts {
  readonly execute: ExecuteRun;
  /** Default: one is looked for. */
  readonly engine?: Engine;
  readonly allowsLocalGit?: boolean;
  now(): number;
  log(message: string): void;
}

/** An agent that works until it is stopped. */
export interface Agent {
  /** Resolves when it has ended and cleaned up. @throws AgentRefusal when it cannot go on */
  readonly ended: Promise<void>;
  /** Takes no more runs, and lets those that go on have the grace. Again: at once. */
  stop(): void;
  stopNow(): void;
}

/** Owns the work folder, finds the engine, cleans up after a predecessor that was killed, and begins. @throws AgentRefusal */
export async function startAgent(options: AgentOptions, parts: AgentParts): Promise<Agent> {
  const workFolder = openWorkFolder(options.workFolder);
  try {
    const engine = parts.engine ?? (await openEngine(options, parts.log));
    await cleanUp(engine, workFolder.agentId);
    await workFolder
      .removeOldRuns((path) => removeFiles(path, engine))
      .catch((error: Error) => parts.log(`files of earlier runs could not be removed: ${error.message}`));
    parts.log(`the agent ${options.name} works for ${options.server.origin}, on ${options.concurrency} runs at once`);
    const caches = new BuildCaches(workFolder.cachesFolder, {
      maxBytes: options.limits.diskBytes,
      remove: (path) => removeFiles(path, engine),
      forget: (space) => removeFiles(workFolder.inMemory(space), engine),
      now: () => performance.now(),
      log: parts.log,
    });
    const machine = { engine, inMemory: (name: string) => workFolder.inMemory(name) };
    await caches.recover((space) => prepareSpace(machine, space));
    caches.prune();
    const loop = new AgentLoop(options, parts, { engine, workFolder, caches });
    return { ended: loop.run().finally(() => workFolder.release()), stop: () => loop.stop(), stopNow: () => loop.stopNow() };
  } catch (error) {
    workFolder.release();
    throw error;
  }
}

async function openEngine({ engine, engineHost }: AgentOptions, log: (message: string) => void): Promise<Engine> {
  try {
    return await findEngine({ wanted: engine, host: engineHost, log });
  } catch (error) {
    throw new AgentRefusal((error as Error).message, 'see which engine `docker info` or `podman info` finds as this user', {
      exitCode: exitCodes.noEngine,
      cause: error,
    });
  }
}

class AgentLoop {
  readonly #options: AgentOptions;
  readonly #parts: AgentParts;
  readonly #engine: Engine;
  readonly #workFolder: WorkFolder;
  readonly #caches: BuildCaches;
  readonly #client: ServerClient;
  readonly #draining = new AbortController();
  readonly #stopping = new AbortController();
  readonly #givingUp = new AbortController();
  readonly #runs = new Map<Assignment, Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #pauses = new Pauses();
  readonly #drained = untilAborted(this.#draining.signal);
  #idleSince = performance.now();
  #isAway = false;

  constructor(
    options: AgentOptions,
    parts: AgentParts,
    own: { readonly engine: Engine; readonly workFolder: WorkFolder; readonly caches: BuildCaches },
  ) {
    this.#options = options;
    this.#parts = parts;
    this.#engine = own.engine;
    this.#workFolder = own.workFolder;
    this.#caches = own.caches;
    this.#client = new ServerClient(options);
  }

  stop(): void {
    if (this.#draining.signal.aborted) {
      this.stopNow();
      return;
    }
    this.#parts.log(`the agent ends; ${this.#runs.size} runs have ${this.#options.graceSeconds} s to end`);
    this.#draining.abort();
    this.#after(this.#options.graceSeconds * 1000, () => this.stopNow());
  }

  stopNow(): void {
    this.#draining.abort();
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#after(lastReportsMs, () => this.#givingUp.abort());
  }

  async run(): Promise<void> {
    try {
      while (!this.#draining.signal.aborted && !this.#isIdleForLong()) await this.#turn();
    } catch (error) {
      if (!this.#draining.signal.aborted) {
        this.stopNow();
        throw error;
      }
    } finally {
      await Promise.all(this.#runs.values());
      await this.#caches.settled();
      for (const timer of this.#timers) clearTimeout(timer);
      this.#client.close();
    }
  }

  async #turn(): Promise<void> {
    const { signal } = this.#draining;
    try {
      if (this.#runs.size >= this.#options.concurrency) {
        await Promise.race([...this.#runs.values(), this.#drained]);
        return;
      }
      const assignment = await this.#client.claim(this.#request(), signal);
      if (this.#isAway) this.#parts.log('the server answers again');
      this.#isAway = false;
      this.#pauses.reset();
      if (assignment !== undefined) this.#begin(assignment);
    } catch (error) {
      if (!signal.aborted) await this.#goOnAfter(error);
    }
  }

  async #goOnAfter(failure: unknown): Promise<void> {
    if (!(failure instanceof ServerError)) throw failure;
    if (failure.kind === 'unauthorized')
      throw new AgentRefusal(
        `the server refuses the key: ${failure.message}`,
        'make another with `berth agent-keys create NAME`',
        {
          exitCode: exitCodes.unauthorized,
        },
      );
    if (!this.#isAway) this.#parts.log(`${failure.message}; the agent goes on trying`);
    this.#isAway = true;
    await this.#pauses.take(this.#draining.signal);
  }

  #begin(assignment: Assignment): void {
    const { id, registry } = assignment.run;
    this.#parts.log(`executes the run ${id} of ${registry}`);
    const ended = keepRun(asReached(assignment, this.#options.server), {
      ...this.#parts,
      client: this.#client,
      engine: this.#engine,
      agent: { name: this.#options.name, version: readVersion() },
      workFolder: this.#workFolder,
      caches: this.#caches,
      limits: this.#options.limits,
      stopping: this.#stopping.signal,
      givingUp: this.#givingUp.signal,
    })
      .catch((error: unknown) =>
        this.#parts.log(`the run ${id} could not be kept: ${error instanceof Error ? error.stack : String(error)}`),
      )
      .finally(() => {
        this.#runs.delete(assignment);
        this.#idleSince = performance.now();
      });
    this.#runs.set(assignment, ended);
  }

  #request(): ClaimRequest {
    const { version, name: engine, os, architectures } = this.#engine.describe();
    const { name, concurrency, idleExitSeconds } = this.#options;
    const leftSeconds =
      idleExitSeconds === undefined || this.#runs.size > 0 ? waitSeconds : idleExitSeconds - this.#idleSeconds();
    return {
      agent: {
        name,
        version: readVersion(),
        engine,
        engineVersion: version.slice(0, 100),
        os,
        architectures: [...architectures],
        capacity: concurrency,
      },
      holds: [...this.#runs.keys()].map(({ run }) => run.id),
      waitSeconds: Math.max(0, Math.min(waitSeconds, Math.ceil(leftSeconds))),
    };
  }

  #idleSeconds(): number {
    return (performance.now() - this.#idleSince) / 1000;
  }

  #isIdleForLong(): boolean {
    const { idleExitSeconds } = this.#options;
    return idleExitSeconds !== undefined && this.#runs.size === 0 && this.#idleSeconds() >= idleExitSeconds;
  }

  #after(ms: number, action: () => void): void {
    this.#timers.add(setTimeout(action, ms));
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function readVersion(): string {
  const description = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return description.version;
}

/** The run's own registry is where the server is, and speaks as the server does. */
function asReached(assignment: Assignment, server: URL): Assignment {
  const [own, ...others] = assignment.logins;
  if (own === undefined) return assignment;
  return { ...assignment, logins: [{ ...own, isPlainHttp: server.protocol === 'http:' }, ...others] };
}

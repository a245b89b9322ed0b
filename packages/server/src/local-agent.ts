import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { MachineKeys } from './access/index.ts';
import type { Logger } from './platform/logger.ts';
import type { Registry } from './tenancy/index.ts';

/** The agent's own: there is no container engine on this machine that it could drive. */
const noEngineCode = 3;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** One that ran so long was well: the pauses begin anew. */
const wellMs = 60_000;
const graceMs = 40_000;

export interface LocalAgentOptions {
  readonly machines: MachineKeys;
  /** The default one as it is now, whose agents take runs of all. */
  readonly registry: () => Registry;
  /** Where the server can be reached from this machine. */
  readonly origin: string;
  /** PEM file of the authority that signed the server's certificate, when it is one of our own. */
  readonly authorityFile: string | undefined;
  /** Files of runs, and what the agent knows of itself. */
  readonly folder: string;
  readonly log: Logger;
}

/** The agent that a server starts for itself, as a program of its own, and starts again when it dies. */
export interface LocalAgent {
  /** Lets it end its runs and clean up; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts the agent in the background. Without its program or a container engine there is none, and the log says so. */
export function startLocalAgent(options: LocalAgentOptions): LocalAgent {
  const stopping = new AbortController();
  const ended = new Keeper(options, stopping.signal).keep();
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

class Keeper {
  readonly #options: LocalAgentOptions;
  readonly #signal: AbortSignal;

  constructor(options: LocalAgentOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async keep(): Promise<void> {
    const { log } = this.#options;
    const program = findProgram();
    if (program === undefined) {
      log.info('the package of the agent is not installed: runs wait for agents of other machines');
      return;
    }
    for (let pauseMs = firstPauseMs; !this.#signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const began = performance.now();
      const code = await this.#run(program).catch((error: unknown) => log.error({ err: error }, 'the local agent did not start'));
      if (this.#signal.aborted) return;
      if (code === noEngineCode) {
        log.info('there is no container engine on this machine: runs wait for agents of other machines');
        return;
      }
      if (performance.now() - began > wellMs) pauseMs = firstPauseMs;
      log.warn({ code, pauseMs }, 'the local agent ended; it is started again');
      await delay(pauseMs, undefined, { signal: this.#signal, ref: false }).catch(() => undefined);
    }
  }

  async #run(program: readonly string[]): Promise<number | null> {
    const { machines, registry, origin, authorityFile, folder, log } = this.#options;
    const wanted = { name: 'the agent of this server', agentPool: null, isShared: true, isReplacing: true };
    const { key } = await machines.createAgentKey(registry(), wanted);
    if (this.#signal.aborted) return null;
    const child = spawn(process.execPath, [...program, '--work', folder, '--engine', 'auto'], {
      env: {
        ...ofTheSystem(process.env),
        BERTH_SERVER: origin,
        BERTH_AGENT_KEY: key,
        BERTH_AGENT_PARENT: 'stdin',
        ...(authorityFile !== undefined && { BERTH_CA: authorityFile }),
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A Ctrl-C in a terminal reaches every process of its group; the agent hears of the end from the server alone.
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => log.info({ line }, 'the local agent says'));
    const end = (): void => endInOrder(child);
    this.#signal.addEventListener('abort', end, { once: true });
    const [code] = (await once(child, 'exit')) as [number | null];
    this.#signal.removeEventListener('abort', end);
    return code;
  }
}

/** The agent ends by itself once its standard input does: also when this process is killed. */
function endInOrder(child: ChildProcess): void {
  child.stdin?.end();
  const patience = setTimeout(() => child.kill('SIGKILL'), graceMs);
  child.once('exit', () => clearTimeout(patience));
}

/** What starts the program of the agent: sources as they are in a checkout, or a build. */
function findProgram(): readonly string[] | undefined {
  try {
    const file = fileURLToPath(import.meta.resolve('@berth/agent/main'));
    return file.endsWith('.ts') ? ['--conditions=source', file] : [file];
  } catch {
    return undefined;
  }
}

/** Without settings of the server, among which are passwords. */
function ofTheSystem(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('BERTH_')));
}

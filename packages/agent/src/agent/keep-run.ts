import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Assignment } from '@berth/api';
import { SourceError, fetchDocument, fetchSource } from '../context/index.ts';
import { type Engine, agentLabel, containersUse, runLabel, runLabelOf } from '../engine/index.ts';
import { RunLog } from '../log/index.ts';
import type { CacheUse, RunEnd, RunHost, RunLimits, RunStop } from '../run/run-host.ts';
import { secretsOf } from '../run/run-secrets.ts';
import { type ServerClient, ServerError } from '../server-client/index.ts';
import { watchDisk } from './disk-watch.ts';
import { RunReporter } from './run-reporter.ts';
import type { BuildCaches } from './build-caches.ts';
import { removeFiles } from './remove-files.ts';
import type { WorkFolder } from './work-folder.ts';

export type ExecuteRun = (host: RunHost, engine: Engine) => Promise<RunEnd>;

export interface RunKeeperOptions {
  readonly client: ServerClient;
  readonly engine: Engine;
  readonly agent: RunHost['agent'];
  readonly workFolder: WorkFolder;
  readonly caches: BuildCaches;
  readonly limits: RunLimits;
  readonly execute: ExecuteRun;
  /** Stops runs: the agent ends. */
  readonly stopping: AbortSignal;
  /** Not even ends of runs are reported any more. */
  readonly givingUp: AbortSignal;
  /** Whether git may clone from folders of this machine: for tests. */
  readonly allowsLocalGit?: boolean;
  now(): number;
  log(message: string): void;
}

/** Executes one run, tells the server of it, and leaves nothing behind. */
export async function keepRun(assignment: Assignment, options: RunKeeperOptions): Promise<void> {
  const { engine, workFolder, log } = options;
  const folders = workFolder.openRun(assignment.run.id);
  try {
    mkdirSync(join(folders.folder, 'workspace'));
    await new RunKeeper(assignment, options, folders).keep();
  } finally {
    for (const folder of [folders.secretsFolder, folders.folder])
      await removeFiles(folder, engine).catch((error: Error) => log(`${folder} could not be removed: ${error.message}`));
  }
}

interface Folders {
  readonly folder: string;
  readonly secretsFolder: string;
}

class RunKeeper {
  readonly #assignment: Assignment;
  readonly #options: RunKeeperOptions;
  readonly #folders: Folders;
  /** What the run fills. */
  readonly #filled: Set<string>;
  readonly #stop = new AbortController();
  readonly #log: RunLog;
  readonly #reporter: RunReporter;

  constructor(assignment: Assignment, options: RunKeeperOptions, folders: Folders) {
    this.#assignment = assignment;
    this.#options = options;
    this.#folders = folders;
    this.#filled = new Set([folders.folder]);
    this.#log = new RunLog({
      file: join(folders.folder, 'waiting-log'),
      from: assignment.logFrom,
      outputBytes: options.limits.outputBytes,
      now: options.now,
      onFull: () => this.#stopFor('output-limit'),
      onRecord: () => this.#reporter.logged(),
    });
    for (const secret of secretsOf(assignment)) this.#log.mask(secret);
    this.#reporter = new RunReporter({
      held: { run: assignment.run.id, lease: assignment.lease },
      log: this.#log,
      send: (held, report, signal) => options.client.report(held, report, signal),
      onCanceled: () => this.#stopFor('canceled'),
      onLost: (reason) => {
        options.log(`the run ${assignment.run.id} is lost: ${reason}`);
        this.#stopFor('lease-lost');
      },
    });
  }

  async keep(): Promise<void> {
    const { stopping, givingUp, limits, execute, engine, log } = this.#options;
    const agentStops = (): void => this.#stopFor('agent-stopping');
    stopping.addEventListener('abort', agentStops, { once: true });
    if (stopping.aborted) agentStops();
    const timeout = setTimeout(() => this.#stopFor('timeout'), this.#assignment.timeoutSeconds * 1000);
    const watching = new AbortController();
    const { run } = this.#assignment;
    const labels = [`${agentLabel}=${this.#options.workFolder.agentId}`, `${runLabel}=${runLabelOf(run)}`];
    const watched = watchDisk({
      folders: this.#filled,
      others: (signal) => containersUse(engine, labels, signal),
      maxBytes: limits.diskBytes,
      onTooMuch: () => this.#stopFor('disk-limit'),
      signal: watching.signal,
    });
    const reported = this.#reporter.report(givingUp);
    try {
      const end = await execute(this.#host(), engine).catch((error: unknown) => this.#failed(error));
      this.#reporter.end({ ...end, message: end.message === null ? null : this.#log.clean(end.message) });
      await reported;
      log(`the run ${this.#assignment.run.id} ended: ${end.outcome}`);
    } finally {
      watching.abort();
      clearTimeout(timeout);
      stopping.removeEventListener('abort', agentStops);
      await watched;
      this.#log.close();
    }
  }

  #stopFor(reason: RunStop): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason);
  }

  #failed(error: unknown): RunEnd {
    const message = error instanceof Error ? error.message : String(error);
    this.#options.log(`the run ${this.#assignment.run.id} failed within the agent: ${this.#log.clean(message)}`);
    return { outcome: 'Error', message: `the agent failed: ${message}`, images: [], dependencies: [], temporaryTags: [] };
  }

  async #openCache(space: string, { isCounted, prepare }: CacheUse): ReturnType<RunHost['openCache']> {
    const { path, close } = await this.#options.caches.open(space, prepare);
    if (isCounted) this.#filled.add(path);
    return {
      path,
      close: () => {
        this.#filled.delete(path);
        close();
      },
    };
  }

  #host(): RunHost {
    const { agent, client, workFolder, limits, allowsLocalGit = false } = this.#options;
    const signal = this.#stop.signal;
    const held = { run: this.#assignment.run.id, lease: this.#assignment.lease };
    return {
      assignment: this.#assignment,
      agent,
      agentId: workFolder.agentId,
      folder: this.#folders.folder,
      secretsFolder: this.#folders.secretsFolder,
      limits,
      signal,
      openCache: (space, use) => this.#openCache(space, use),
      inMemory: (name) => workFolder.inMemory(name),
      log: (step, stream, text) => this.#log.add(step, stream, text),
      steps: (states) =>
        this.#reporter.steps(
          states.map((step) => (step.reason === undefined ? step : { ...step, reason: this.#log.clean(step.reason) })),
        ),
      mask: (secret) => this.#log.mask(secret),
      hide: (text) => this.#log.hide(text),
      fetchDocument: (name, workspace) => fetchDocument(name, workspace, signal),
      fetchSource: async (workspace) => {
        const facts = await fetchSource(this.#assignment.source, workspace, {
          readUpload: () => client.readSource(held, signal),
          logins: this.#assignment.logins,
          maxBytes: limits.diskBytes,
          folder: this.#folders.folder,
          secretsFolder: this.#folders.secretsFolder,
          allowsLocalGit,
          isTrusted: this.#assignment.isTrusted,
          signal,
          log: (text) => this.#log.add('', 'agent', text),
          mask: (secret) => this.#log.mask(secret),
        });
        if (facts.commit !== undefined) this.#reporter.source(facts);
        return facts;
      },
      resolveSecrets: async (sources) => {
        if (sources.length === 0) return new Map();
        try {
          const values = await client.resolveSecrets(held, sources, signal);
          for (const value of values.values()) this.#log.mask(value);
          return values;
        } catch (error) {
          if (error instanceof ServerError) throw new SourceError(error.message, { cause: error });
          throw error;
        }
      },
    };
  }
}

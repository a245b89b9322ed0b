import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Network, Volume } from '@berth/task-file';
import { type Engine, agentLabel, cleanUpRun, runLabel, runLabelOf } from '../engine/index.ts';
import type { RunHost } from './run-host.ts';

interface Declared {
  readonly networks: readonly Network[];
  readonly volumes: readonly Volume[];
}

/** What the engine keeps for a run beside its containers; made when a step first needs it, and removed with the run. */
export class RunResources {
  readonly #engine: Engine;
  readonly #host: RunHost;
  /** Begins the name of everything. */
  readonly prefix: string;
  readonly labels: readonly string[];
  readonly #workspace: string;
  readonly #made = new Map<string, Promise<string>>();
  #declared: Declared = { networks: [], volumes: [] };
  #usesEngine = false;

  constructor(engine: Engine, host: RunHost, workspace: string) {
    const { run } = host.assignment;
    this.#engine = engine;
    this.#host = host;
    this.#workspace = workspace;
    this.prefix = `berth-${run.id.replaceAll(/[^A-Za-z0-9_.-]/g, '-')}-${randomBytes(4).toString('hex')}`;
    this.labels = ['--label', `${agentLabel}=${host.agentId}`, '--label', `${runLabel}=${runLabelOf(run)}`];
  }

  /** What the task file declares, once it is read. */
  declare(declared: Declared): void {
    this.#declared = declared;
  }

  /** A real volume: steps may mount it by this name, which is `.Run.SharedVolume`. */
  get sharedVolume(): string {
    return `${this.prefix}-workspace`;
  }

  /** The network of steps that name none. */
  defaultNetwork(): Promise<string> {
    const chosen = this.#declared.networks.findLast(({ isDefault }) => isDefault);
    return chosen === undefined ? this.#createNetwork('default', undefined) : this.#declaredNetwork(chosen);
  }

  /** Whether the file names networks, but none that steps get by themselves. */
  get lacksDefaultNetwork(): boolean {
    const { networks } = this.#declared;
    return networks.length > 0 && !networks.some(({ isDefault }) => isDefault);
  }

  /** The engine's network for what a step calls so. @throws Error for one that reaches beyond the run */
  async network(name: string): Promise<string> {
    const declared = this.#declared.networks.find((each) => each.name === name);
    if (declared !== undefined) return this.#declaredNetwork(declared);
    if (name === 'none') return name;
    if (this.#host.limits.allowsPrivileged) return name;
    throw new Error(`names the network ${name}, which the task file does not declare; networks of the machine are not for runs`);
  }

  workspaceVolume(): Promise<string> {
    return this.#once('volume workspace', () => this.#createVolume(this.sharedVolume, this.#workspace));
  }

  /** A volume of the run that a step mounts by a name of its own. */
  volume(name: string): Promise<string> {
    if (name === this.sharedVolume) return this.workspaceVolume();
    return this.#once(`volume ${name}`, async () => {
      const folder = join(this.#host.folder, 'volumes', name);
      await mkdir(folder, { recursive: true });
      return this.#createVolume(`${this.prefix}-volume-${name}`, folder);
    });
  }

  /** What is in a folder of the run is counted, and removed with it. */
  async #createVolume(name: string, folder: string): Promise<string> {
    const bind = ['--opt', 'type=none', '--opt', 'o=bind', '--opt', `device=${folder}`];
    const options = this.#engine.describe().os === 'Windows' ? [] : bind;
    await this.#query(['volume', 'create', '--driver', 'local', ...options, ...this.labels, name]);
    return name;
  }

  /** The folder with the files of a secret volume. */
  secretVolume(name: string): Promise<string> {
    return this.#once(`secrets ${name}`, async () => {
      const folder = join(this.#host.secretsFolder, 'volumes', name);
      await mkdir(join(this.#host.secretsFolder, 'volumes'), { recursive: true, mode: 0o700 });
      await mkdir(folder, { recursive: true });
      const volume = this.#declared.volumes.find((each) => each.name === name);
      // Whoever the step's user is can read them; the folder above is closed to others of this machine.
      for (const [file, content] of volume?.files ?? []) await writeFile(join(folder, file), content, { mode: 0o444 });
      return folder;
    });
  }

  /** The files of a secret volume, by name. */
  secretFiles(name: string): ReadonlyMap<string, Buffer> {
    return this.#declared.volumes.find((each) => each.name === name)?.files ?? new Map();
  }

  /** HOME of steps. */
  home(): Promise<string> {
    return this.#once('home', async () => {
      const folder = join(this.#host.folder, 'home');
      await mkdir(join(folder, '.docker'), { recursive: true });
      // Steps run as any user.
      for (const each of [folder, join(folder, '.docker')]) await chmod(each, 0o777);
      return folder;
    });
  }

  /** Removes everything that carries the run's labels. */
  async remove(): Promise<void> {
    if (this.#usesEngine) await cleanUpRun(this.#engine, this.#host.agentId, runLabelOf(this.#host.assignment.run));
  }

  /** From now on there is something to remove. */
  useEngine(): void {
    this.#usesEngine = true;
  }

  #declaredNetwork({ name, driver, isIpv6, skipsCreation }: Network): Promise<string> {
    if (!skipsCreation) return this.#createNetwork(name, driver, isIpv6);
    if (this.#host.limits.allowsPrivileged || name === 'none') return Promise.resolve(name);
    return Promise.reject(
      new Error(`names the network ${name} of the machine (skipCreation); agents allow it only when they were started to`),
    );
  }

  #createNetwork(name: string, driver: string | undefined, isIpv6 = false): Promise<string> {
    return this.#once(`network ${name}`, async () => {
      const own = `${this.prefix}-net-${name}`;
      const usual = this.#engine.describe().os === 'Windows' ? 'nat' : 'bridge';
      if (driver !== undefined && driver !== usual && !this.#host.limits.allowsPrivileged)
        throw new Error(`names the network ${name}, whose driver is ${driver}; here it is ${usual}`);
      // Engines of some versions have no addresses to choose from: a unique local prefix is chosen here.
      const group = (): string => randomBytes(2).toString('hex');
      const subnet = isIpv6
        ? ['--ipv6', '--subnet', `fd${randomBytes(1).toString('hex')}:${group()}:${group()}:${group()}::/64`]
        : [];
      this.#host.log('', 'agent', `Creating the network ${name}`);
      await this.#query(['network', 'create', '--driver', driver ?? usual, ...subnet, ...this.labels, own]);
      return own;
    });
  }

  async #query(args: readonly string[]): Promise<void> {
    this.useEngine();
    await this.#engine.query(args, { signal: this.#host.signal });
  }

  #once(key: string, make: () => Promise<string>): Promise<string> {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(key, made);
    // Who asked learns of it; the next one tries again.
    made.catch(() => this.#made.delete(key));
    return made;
  }
}

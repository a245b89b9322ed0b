import { existsSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistryClient, type SpawnedRegistry, spawnRegistry } from '@berth/testkit';

const fakeTimeLibraries = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`);

/** What sets a program's clock; undefined: not installed. */
export const fakeTimeLibrary = fakeTimeLibraries.find((path) => existsSync(path));

export interface RegionOptions {
  readonly name: string;
  readonly folder: string;
  readonly settings: Readonly<Record<string, string>>;
  /** By how many seconds its clock is off. */
  readonly clockOffSeconds: number;
  /** What its program is started by. */
  readonly startedBy?: readonly string[];
  readonly host?: string;
  readonly port?: number;
}

export const adminPassword = 'a password that all regions share';

/** One region: a server process of its own with its own data. */
export class Region {
  readonly name: string;
  readonly #options: RegionOptions;
  #server: SpawnedRegistry | undefined;
  #client: RegistryClient | undefined;

  constructor(options: RegionOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get server(): SpawnedRegistry {
    if (this.#server === undefined) throw new Error(`${this.name} does not run`);
    return this.#server;
  }

  get isRunning(): boolean {
    return this.#server !== undefined;
  }

  get dataDir(): string {
    return join(this.#options.folder, this.name);
  }

  get client(): RegistryClient {
    if (this.#client === undefined) throw new Error(`${this.name} does not run`);
    return this.#client;
  }

  async start(): Promise<void> {
    const { name, settings, clockOffSeconds, startedBy, host, port } = this.#options;
    const clock: Record<string, string> =
      clockOffSeconds === 0 || fakeTimeLibrary === undefined
        ? {}
        : {
            LD_PRELOAD: fakeTimeLibrary,
            FAKETIME: `${clockOffSeconds >= 0 ? '+' : ''}${clockOffSeconds}s`,
            // Timers go by the clock that only counts.
            DONT_FAKE_MONOTONIC: '1',
          };
    this.#server = await spawnRegistry({
      dataDir: this.dataDir,
      settings: { region: name, adminPassword, ...settings },
      env: clock,
      ...(startedBy !== undefined && { startedBy }),
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port }),
    });
    this.#client = new RegistryClient({ url: this.#server.url, username: 'local', password: adminPassword, scheme: 'basic' });
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#forget();
    await server?.kill();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#forget();
    await server?.stop();
  }

  /** Copies its data; it must not run. */
  async backUp(): Promise<void> {
    await cp(this.dataDir, `${this.dataDir}-backup`, { recursive: true });
  }

  /** Puts the copy in the place of its data; it must not run. */
  async restore(): Promise<void> {
    await rm(this.dataDir, { recursive: true });
    await cp(`${this.dataDir}-backup`, this.dataDir, { recursive: true });
  }

  #forget(): void {
    this.#client?.[Symbol.dispose]();
    this.#client = undefined;
    this.#server = undefined;
  }
}

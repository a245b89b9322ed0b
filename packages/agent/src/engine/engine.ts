import type { RegistryLogin } from '@berth/api';
import { DockerSocket, usualSocket } from './docker-socket.ts';
import type { ProgramEnd, ProgramOptions } from './run-program.ts';
import { runProgram } from './run-program.ts';
import type { Storage } from './storage.ts';

export type EngineName = 'docker' | 'podman' | 'buildah';

export interface EngineFacts {
  readonly name: EngineName;
  readonly version: string;
  readonly os: 'Linux' | 'Windows';
  /** What it runs, in the words of images: its own first, then those that are emulated. */
  readonly architectures: readonly [native: string, ...emulated: string[]];
  /** Whether it can keep containers from swapping. */
  readonly limitsSwap: boolean;
  /** Whether it can keep apart what builds leave for the next: not podman's service elsewhere, whose cache mounts have one place. */
  readonly separatesCaches: boolean;
  /** Whether the id of an image is the digest of its manifest, as in containerd's store (docker 29's default); otherwise its configuration's. */
  readonly idsAreManifests: boolean;
  /** Where it keeps images, if others can be kept elsewhere: podman and buildah on this machine. */
  readonly storage?: Storage | undefined;
  /** Where its client finds plug-ins that are not where it looks by itself. */
  readonly pluginFolders: readonly string[];
}

export interface CommandOptions extends Omit<ProgramOptions, 'environment'> {
  /** In addition to what the engine's client needs. Names must be harmless: see `isHarmlessName`. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The engine said no; the message is what it said. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}

interface Settings {
  readonly logins: readonly RegistryLogin[];
  /** Before every command. */
  readonly globalFlags: readonly string[];
}

/** A container engine, driven by its own command line. */
export class Engine {
  readonly #program: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #facts: EngineFacts;
  readonly #settings: Settings;

  /** @param environment all that its client sees of the agent's own */
  constructor(
    program: string,
    environment: Readonly<Record<string, string>>,
    facts: EngineFacts,
    settings: Settings = { logins: [], globalFlags: [] },
  ) {
    this.#program = program;
    this.#environment = environment;
    this.#facts = facts;
    this.#settings = settings;
  }

  #with(environment: Readonly<Record<string, string>>, settings: Partial<Settings> = {}): Engine {
    return new Engine(this.#program, { ...this.#environment, ...environment }, this.#facts, { ...this.#settings, ...settings });
  }

  get name(): EngineName {
    return this.#facts.name;
  }

  describe(): EngineFacts {
    return this.#facts;
  }

  /** The same engine, with these registry logins, which a folder's `config.json` holds. */
  withLogins(folder: string, logins: readonly RegistryLogin[]): Engine {
    const own =
      this.name === 'docker' ? { DOCKER_CONFIG: folder } : { REGISTRY_AUTH_FILE: `${folder}/config.json`, DOCKER_CONFIG: folder };
    return this.#with(own, { logins });
  }

  /** The same engine, which keeps temporary files in a folder of its own, and its cache mounts with them. Docker's daemon has its own place. */
  withTemporaryFolder(path: string): Engine {
    return this.#with({ TMPDIR: path });
  }

  /** The same engine, with other images. */
  withStorage({ root, runRoot }: Storage): Engine {
    return this.#with({}, { globalFlags: ['--root', root, '--runroot', runRoot] });
  }

  /** Runs a command to its end, whatever that is. */
  command(args: readonly string[], { environment, ...options }: CommandOptions = {}): Promise<ProgramEnd> {
    return runProgram(this.#program, [...this.#settings.globalFlags, ...args], {
      ...options,
      environment: { ...environment, ...this.#environment },
    });
  }

  /** What a command prints. @throws EngineError unless it exits with 0 */
  async query(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const { exitCode, output, lastLines } = await this.command(args, options);
    if (exitCode !== 0) throw new EngineError(lastLines.join('\n') || `${this.name} ended with ${exitCode ?? 'a signal'}`);
    return output;
  }

  /** Gives an image a name, which another image may have had. @throws EngineError, or the signal's reason */
  async tag(id: string, name: string, signal: AbortSignal): Promise<void> {
    if ((await this.#socket()?.tag(id, name, signal)) === true) return;
    signal.throwIfAborted();
    await this.query(['tag', id, name], { signal });
  }

  /** Takes names or ids of images away, as far as they are there and nothing needs them. */
  async removeImages(names: readonly string[], signal: AbortSignal): Promise<void> {
    const socket = this.#socket();
    const left: string[] = [];
    for (const name of names) if ((await socket?.remove(name, signal)) !== true) left.push(name);
    if (left.length === 0) return;
    await this.command([...(this.name === 'buildah' ? ['rmi'] : ['image', 'rm']), ...left], { signal });
  }

  /** What steps that may use the engine get as `/var/run/docker.sock`. */
  get socketPath(): string {
    return this.#socket()?.path ?? usualSocket;
  }

  #socket(): DockerSocket | undefined {
    return this.name === 'docker' ? DockerSocket.of(this.#environment) : undefined;
  }

  /** Whether its client must be told that a registry speaks plain HTTP; docker's daemon has settings for that. */
  plainHttpFlags(registry: string): readonly string[] {
    return this.name !== 'docker' && speaksPlainHttp(registry, this.#settings.logins) ? ['--tls-verify=false'] : [];
  }
}

/** Whether a registry speaks no TLS, as its login says; without one, those of this machine do not. */
export function speaksPlainHttp(registry: string, logins: readonly RegistryLogin[]): boolean {
  const login = logins.find(({ server }) => server.toLowerCase() === registry.toLowerCase());
  return login?.isPlainHttp ?? /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(registry);
}

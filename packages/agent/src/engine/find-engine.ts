import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { architectureOf, emulatedArchitectures } from './architectures.ts';
import { readDockerSettings } from './docker-client.ts';
import { Engine, type EngineFacts, type EngineName } from './engine.ts';
import { type ProgramEnd, runProgram } from './run-program.ts';
import { type Storage, type StorageInfo, storageOf } from './storage.ts';

export interface FindEngineOptions {
  readonly wanted: 'auto' | EngineName;
  /** Of docker's daemon or podman's service: `unix:///run/docker.sock`. Default: what DOCKER_HOST or CONTAINER_HOST says. */
  readonly host?: string | undefined;
  log(message: string): void;
}

/** What an engine's client may see of the agent's environment: nothing else is handed on, above all no keys. */
const handedOn = [
  'PATH HOME TMPDIR XDG_RUNTIME_DIR SystemRoot USERPROFILE',
  'DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH CONTAINER_HOST CONTAINERS_CONF CONTAINERS_STORAGE_CONF CONTAINERS_REGISTRIES_CONF',
  'BUILDAH_ISOLATION STORAGE_DRIVER SSL_CERT_FILE SSL_CERT_DIR HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy',
].flatMap((names) => names.split(' '));

const order: readonly EngineName[] = ['docker', 'podman', 'buildah'];
const patienceMs = 15_000;

/**
 * Finds a container engine that works: docker, else podman, else buildah, which only builds.
 * @throws Error whose message says what was tried, and what to do
 */
export async function findEngine({ wanted, host, log }: FindEngineOptions): Promise<Engine> {
  const tried: string[] = [];
  for (const name of wanted === 'auto' ? order : [wanted]) {
    const programs = programsOf(name);
    if (programs.length === 0) tried.push(`${name}: not in PATH`);
    for (const program of programs) {
      try {
        const engine = await openEngine(name, program, host);
        log(`uses ${name} ${engine.describe().version} (${program}), for ${engine.describe().architectures.join(', ')}`);
        return engine;
      } catch (error) {
        tried.push(`${program}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  throw new Error(
    `no container engine can be used. Tried ${tried.join('; ')}. Install docker or podman, start it, and let this user use it; ` +
      'an engine elsewhere is named by DOCKER_HOST or CONTAINER_HOST',
  );
}

async function openEngine(name: EngineName, program: string, host: string | undefined): Promise<Engine> {
  const own = Object.fromEntries(handedOn.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key]]])));
  const hostName = name === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST';
  const environment: Record<string, string> = { ...own, ...(host !== undefined && name !== 'buildah' && { [hostName]: host }) };
  const ask = async (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> => {
    const end = await runProgram(program, args, {
      environment: { ...environment, ...more },
      signal: AbortSignal.timeout(patienceMs),
    });
    return answerOf(end, args);
  };
  if (name === 'podman') return new Engine(program, environment, await askPodman(ask));
  if (name === 'buildah') return new Engine(program, environment, await askBuildah(ask));
  const { folder, pluginFolders } = await readDockerSettings();
  // While it is looked for: the user's. Each run has its own.
  environment['DOCKER_CONFIG'] = folder;
  environment['DOCKER_BUILDKIT'] = '1';
  // What is attested is ours to say, and made without the engine's help.
  environment['BUILDX_NO_DEFAULT_ATTESTATIONS'] = '1';
  environment['DOCKER_HOST'] ??= await askContext(ask);
  return new Engine(program, environment, await askDocker(ask, pluginFolders));
}

function answerOf({ exitCode, output, lastLines }: ProgramEnd, args: readonly string[]): string {
  if (exitCode === 0) return output;
  throw new Error(exitCode === null ? `does not answer to ${args[0]} within ${patienceMs / 1000} s` : lastLines.join(' '));
}

type Ask = (args: readonly string[], more?: Readonly<Record<string, string>>) => Promise<string>;

/** Where the daemon is that the user's client speaks to: another one when it is rootless, or Docker Desktop's. */
async function askContext(ask: Ask): Promise<string> {
  const { DOCKER_CONTEXT: context } = process.env;
  const chosen = context === undefined ? {} : { DOCKER_CONTEXT: context };
  return (await ask(['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'], chosen)).trim();
}

async function askDocker(ask: Ask, pluginFolders: readonly string[]): Promise<EngineFacts> {
  const format = '{{.ServerVersion}}|{{.OSType}}|{{.Architecture}}|{{.SwapLimit}}|{{.DriverStatus}}';
  const [version = '', os, architecture = '', swap, store = ''] = (await ask(['info', '--format', format])).trim().split('|');
  const idsAreManifests = store.includes('io.containerd.snapshotter');
  // `docker info` exits with 0 when the daemon is not there.
  if (version === '') throw new Error('its daemon does not answer');
  // Newer clients build through buildx alone, a program of its own. Older ones have it built in.
  const client = await ask(['version', '--format', '{{.Client.Version}}']);
  const isOlder = Number.parseInt(client, 10) < 23;
  if (isOlder && idsAreManifests)
    throw new Error(`version ${client.trim()} is too old for the image store of its daemon ${version}: 23 or later is needed`);
  if (!isOlder)
    await ask(['buildx', 'version']).catch(() => {
      throw new Error(`version ${client.trim()} cannot build without its plug-in buildx`);
    });
  return factsOf('docker', { version, os, architecture, swap, idsAreManifests, pluginFolders });
}

async function askPodman(ask: Ask): Promise<EngineFacts> {
  const {
    host,
    store = {},
    version,
  } = JSON.parse(await ask(['info', '--format', 'json'])) as {
    host: { arch: string; os: string; serviceIsRemote?: boolean };
    store?: StorageInfo;
    version: { Version: string };
  };
  const separatesCaches = host.serviceIsRemote !== true;
  const storage = separatesCaches ? storageOf(store) : undefined;
  return factsOf('podman', { version: version.Version, os: host.os, architecture: host.arch, separatesCaches, storage });
}

interface BuildahStore {
  readonly GraphDriverName?: string;
  readonly GraphRoot?: string;
  readonly RunRoot?: string;
  readonly GraphOptions?: readonly string[] | null;
}

async function askBuildah(ask: Ask): Promise<EngineFacts> {
  const { host, store = {} } = JSON.parse(await ask(['info'])) as {
    host: { arch: string; os: string };
    store?: BuildahStore;
  };
  const { GraphDriverName: graphDriverName, GraphRoot: graphRoot, RunRoot: runRoot, GraphOptions: graphOptions } = store;
  const storage = storageOf({ graphDriverName, graphRoot, runRoot, graphOptions });
  const version = /version (\S+)/.exec(await ask(['--version']))?.[1] ?? '';
  return factsOf('buildah', { version, os: host.os, architecture: host.arch, storage });
}

interface Answers {
  readonly version: string;
  readonly os: string | undefined;
  readonly architecture: string;
  readonly swap?: string | undefined;
  readonly separatesCaches?: boolean;
  readonly storage?: Storage | undefined;
  readonly idsAreManifests?: boolean;
  readonly pluginFolders?: readonly string[];
}

async function factsOf(
  name: EngineName,
  { version, os, architecture, swap, separatesCaches = true, storage, idsAreManifests = false, pluginFolders = [] }: Answers,
): Promise<EngineFacts> {
  const native = architectureOf(architecture);
  const isWindows = os === 'windows';
  const emulated = isWindows ? [] : await emulatedArchitectures();
  const also = native === 'amd64' && !isWindows ? ['386', ...emulated] : emulated;
  return {
    name,
    version,
    os: isWindows ? 'Windows' : 'Linux',
    architectures: [native, ...new Set(also.filter((each) => each !== native))],
    limitsSwap: swap === 'true',
    separatesCaches,
    storage,
    idsAreManifests,
    pluginFolders,
  };
}

/** All programs of this name in PATH: the first one may be a client that cannot build. */
function programsOf(name: string): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const found = folders.map((folder) => join(folder === '' ? '.' : folder, name + suffix)).filter(isProgram);
  return [...new Set(found)];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

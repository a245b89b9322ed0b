import type { Flag } from '@berth/task-file';
import type { RunLimits } from './run-host.ts';

/** What a `cmd` asks of `docker run` by its flags, as far as a run may have it. */
export interface RunFlags {
  /** Handed on as they are. */
  readonly passed: readonly string[];
  /** `NAME=value` or a name. */
  readonly environment: readonly string[];
  readonly volumes: readonly VolumeUse[];
  readonly network: string | undefined;
  readonly aliases: readonly string[];
  readonly entryPoint: string | undefined;
  readonly workingDirectory: string | undefined;
  readonly user: string | undefined;
  readonly cpus: string | undefined;
  readonly platform: string | undefined;
  readonly memoryBytes: number | undefined;
  readonly processes: number | undefined;
  readonly isDetached: boolean;
  readonly isPrivileged: boolean;
}

/** A volume of the run by name, or an anonymous one. */
export interface VolumeUse {
  readonly name: string | undefined;
  readonly mountPath: string;
  readonly isReadOnly: boolean;
}

const passedOn: ReadonlySet<string> = new Set(
  (
    'add-host cap-drop cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems dns dns-option dns-search domainname expose group-add ' +
    'health-cmd health-interval health-retries health-start-period health-timeout hostname init isolation mac-address ' +
    'memory-reservation no-healthcheck publish publish-all read-only shm-size stop-signal stop-timeout tmpfs ulimit'
  ).split(' '),
);
/** They mean nothing here: nobody types at a step, and containers go with their run. */
const passedOver: ReadonlySet<string> = new Set([
  'rm',
  'interactive',
  'tty',
  'sig-proxy',
  'quiet',
  'attach',
  'detach-keys',
  'pull',
]);
/** What these mean is taken up elsewhere. */
const handled: ReadonlySet<string> = new Set(
  'env volume mount network net network-alias net-alias name entrypoint workdir user cpus platform memory pids-limit detach privileged label security-opt ipc cgroupns'.split(
    ' ',
  ),
);
/** Beyond the run, so for privileged steps only. */
const privilegedOnly: ReadonlySet<string> = new Set(['cap-add', 'device', 'gpus', 'runtime', 'sysctl', 'pid', 'uts', 'userns']);
const socketPath = '/var/run/docker.sock';

/** @throws Error whose message goes on after `cmd` */
export function readRunFlags(
  flags: readonly Flag[],
  limits: Pick<RunLimits, 'allowsPrivileged' | 'allowsEngineSocket'>,
): RunFlags {
  const all = (...names: string[]): string[] => flags.flatMap(({ name, value }) => (names.includes(name) ? [value ?? ''] : []));
  const last = (...names: string[]): string | undefined => all(...names).at(-1);
  const passed: string[] = [];
  for (const flag of flags) passed.push(...readFlag(flag, limits.allowsPrivileged));
  return {
    passed,
    environment: all('env'),
    volumes: [
      ...all('volume').flatMap((text) => volumeOf(text, limits.allowsEngineSocket)),
      ...all('mount').flatMap((text) => mountOf(text, passed)),
    ],
    network: last('network', 'net'),
    aliases: all('network-alias', 'net-alias', 'name'),
    entryPoint: last('entrypoint'),
    workingDirectory: last('workdir'),
    user: last('user'),
    cpus: last('cpus'),
    platform: last('platform'),
    memoryBytes: bytesOf(last('memory')),
    processes: last('pids-limit') === undefined ? undefined : Math.max(0, Number.parseInt(last('pids-limit') ?? '', 10) || 0),
    isDetached: flags.some(({ name }) => name === 'detach'),
    isPrivileged: flags.some(({ name }) => name === 'privileged'),
  };
}

/** What of a flag goes to the engine. */
function readFlag({ name, value }: Flag, allowsPrivileged: boolean): readonly string[] {
  const words = value === undefined ? [`--${name}`] : [`--${name}`, value];
  if (passedOn.has(name)) return words;
  if (passedOver.has(name)) return [];
  if (name === 'privileged' && !allowsPrivileged) throw refused('--privileged');
  if (name === 'security-opt') {
    if (value === 'no-new-privileges' || value === 'no-new-privileges:true' || allowsPrivileged) return words;
    throw refused(`--security-opt ${value}`);
  }
  if (name === 'ipc' || name === 'cgroupns') {
    if (value === 'private' || (name === 'ipc' && value === 'none') || allowsPrivileged) return words;
    throw refused(`--${name} ${value}`);
  }
  if (name === 'label') {
    if (value?.startsWith('berth.') === true)
      throw new Error(`has --label ${value}; labels that begin with berth. are the agent's own`);
    return words;
  }
  if (handled.has(name)) return [];
  if (privilegedOnly.has(name)) {
    if (allowsPrivileged) return words;
    throw refused(`--${name}`);
  }
  throw new Error(`has --${name}, which a step may not have: it reaches beyond the run`);
}

function refused(what: string): Error {
  return new Error(`has ${what}, which reaches beyond the run; agents allow it only when they were started to`);
}

/** `name:path[:options]`, or a path alone. */
function volumeOf(text: string, allowsEngineSocket: boolean): readonly VolumeUse[] {
  const parts = /^(?:(.*?):)?((?:[A-Za-z]:)?[\\/][^:]*)(?::([^:]*))?$/.exec(text);
  const [, source, mountPath, options = ''] = parts ?? [];
  if (mountPath === undefined) throw new Error(`has --volume ${text}, which is not NAME:PATH`);
  // The socket is in every step where agents allow it.
  if (source === socketPath && allowsEngineSocket) return [];
  if (source === socketPath) throw refused(`--volume ${text}, the engine's socket`);
  const unknown = options.split(',').find((option) => !['', 'ro', 'rw', 'z', 'Z', 'nocopy'].includes(option));
  if (unknown !== undefined) throw new Error(`has --volume ${text} with the option ${unknown}; it may be ro or rw`);
  return [{ name: volumeName(source, text), mountPath, isReadOnly: options.split(',').includes('ro') }];
}

function volumeName(source: string | undefined, text: string): string | undefined {
  if (source === undefined || source === '') return undefined;
  if (/^[A-Za-z0-9][\w.-]*$/.test(source)) return source;
  throw new Error(
    `has --volume ${text}: folders of the agent's machine cannot be mounted; the source is at /workspace, and names make volumes of the run`,
  );
}

function mountOf(text: string, passed: string[]): readonly VolumeUse[] {
  const options = new Map(
    text.split(',').map((part) => {
      const equals = part.indexOf('=');
      return equals === -1 ? [part, 'true'] : [part.slice(0, equals), part.slice(equals + 1)];
    }),
  );
  const type = options.get('type') ?? 'volume';
  if (type === 'tmpfs') {
    passed.push('--mount', text);
    return [];
  }
  const mountPath = options.get('target') ?? options.get('dst') ?? options.get('destination');
  const unknown = [...options.keys()].find(
    (name) => !['type', 'source', 'src', 'target', 'dst', 'destination', 'readonly', 'ro'].includes(name),
  );
  if (type !== 'volume' || mountPath === undefined || unknown !== undefined)
    throw new Error(`has --mount ${text}; a step may mount type=volume,source=NAME,target=PATH and type=tmpfs`);
  const isReadOnly = (options.get('readonly') ?? options.get('ro') ?? 'false') === 'true';
  return [{ name: volumeName(options.get('source') ?? options.get('src'), text), mountPath, isReadOnly }];
}

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

function bytesOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit] = /^(\d+)([bkmg]?)b?$/i.exec(text) ?? [];
  if (number === undefined) throw new Error(`has --memory ${text}, which is a number with b, k, m or g`);
  return Number(number) * (units[(unit ?? '').toLowerCase()] ?? 1);
}

import { readFileSync } from 'node:fs';
import { availableParallelism, homedir, hostname, totalmem, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunLimits } from '../run/run-host.ts';
import { type OptionName, optionNames, optionOf } from './option-table.ts';
import { AgentRefusal } from './refusal.ts';
import { parseCount, parseSeconds, parseSize } from './values.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface AgentOptions {
  readonly server: URL;
  readonly key: string;
  /** PEM text. */
  readonly authority: string | undefined;
  readonly name: string;
  readonly engine: 'auto' | 'docker' | 'podman' | 'buildah';
  readonly engineHost: string | undefined;
  readonly concurrency: number;
  readonly workFolder: string;
  readonly limits: RunLimits;
  /** The agent ends after so long without a run; undefined: it never does. */
  readonly idleExitSeconds: number | undefined;
  /** How long runs may go on once the agent is asked to end. */
  readonly graceSeconds: number;
  /** Whether the agent ends when its standard input does. */
  readonly endsWithInput: boolean;
}

/** What arguments and environment say; arguments go before. @throws AgentRefusal */
export function readOptions(argv: readonly string[], environment: Environment): AgentOptions {
  const values = readValues(argv, environment);
  const text = (name: OptionName): string | undefined => values.get(name);
  const engine = text('engine') ?? 'auto';
  if (engine !== 'auto' && engine !== 'docker' && engine !== 'podman' && engine !== 'buildah')
    throw wrong('engine', engine, 'auto, docker, podman or buildah');
  const name = text('name') ?? hostname();
  if (name.length > 100 || !/^[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?$/.test(name))
    throw wrong('name', name, 'a name of 1 to 100 letters, digits and signs');
  const idleExit = text('idle-exit');
  return {
    server: serverOf(environment),
    key: keyOf(environment),
    authority: authorityOf(text('ca')),
    name,
    engine,
    engineHost: text('engine-host'),
    concurrency: parseCount(
      'concurrency',
      text('concurrency') ?? String(Math.max(1, Math.floor(availableParallelism() / 2))),
      1000,
    ),
    workFolder: resolve(text('work') ?? defaultWorkFolder(environment)),
    limits: {
      outputBytes: parseSize('output', text('output') ?? '64M'),
      memoryBytes: parseSize('memory', text('memory') ?? String(Math.max(256 * 2 ** 20, Math.floor(totalmem() * 0.75)))),
      processes: parseCount('processes', text('processes') ?? '4096', 4_000_000),
      diskBytes: parseSize('disk', text('disk') ?? '20G'),
      allowsPrivileged: text('allow-privileged') === 'true',
      allowsEngineSocket: text('allow-engine-socket') === 'true',
    },
    idleExitSeconds: idleExit === undefined ? undefined : parseSeconds('idle-exit', idleExit),
    graceSeconds: parseSeconds('grace', text('grace') ?? '30'),
    endsWithInput: environment['BERTH_AGENT_PARENT'] === 'stdin',
  };
}

function readValues(argv: readonly string[], environment: Environment): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const name of optionNames) {
    const { variable } = optionOf(name);
    const value = variable === undefined ? undefined : environment[variable];
    if (value !== undefined && value !== '') values.set(name, value);
  }
  const options = Object.fromEntries(
    optionNames.map((name) => [name, { type: optionOf(name).isSwitch === true ? ('boolean' as const) : ('string' as const) }]),
  );
  try {
    const parsed = parseArgs({ args: [...argv], options, strict: true });
    for (const [name, value] of Object.entries(parsed.values)) values.set(name, String(value));
  } catch (error) {
    // Its first sentence names the argument; the rest explains how to escape it.
    const [message = ''] = (error as Error).message.split('. ');
    if (argv.some((each) => each.startsWith('--key')))
      throw new AgentRefusal(
        'the key is never an argument, which every user of this machine can read',
        'set BERTH_AGENT_KEY or BERTH_AGENT_KEY_FILE',
      );
    throw new AgentRefusal(message, 'see all options with --help', { cause: error });
  }
  return values;
}

function serverOf(environment: Environment): URL {
  const text = environment['BERTH_SERVER'] ?? '';
  if (text === '')
    throw new AgentRefusal('it is not known which server to work for', 'set BERTH_SERVER, such as https://registry.example.com');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '' || url.password !== '')
    throw new AgentRefusal('BERTH_SERVER names no address of a server', 'write it as https://host:port, without a name or a key');
  return new URL(url.origin);
}

function keyOf(environment: Environment): string {
  const file = environment['BERTH_AGENT_KEY_FILE'] ?? '';
  let key = environment['BERTH_AGENT_KEY'] ?? '';
  if (key === '' && file !== '') {
    try {
      key = readFileSync(file, 'utf8').trim();
    } catch (error) {
      throw new AgentRefusal(
        `the key's file ${file} cannot be read`,
        'see that BERTH_AGENT_KEY_FILE names it, and that this user may read it',
        {
          cause: error,
        },
      );
    }
  }
  if (key === '')
    throw new AgentRefusal(
      'there is no key to sign in with',
      'make one with `berth agent-keys create NAME`, and set BERTH_AGENT_KEY, or BERTH_AGENT_KEY_FILE to a file that holds it',
    );
  if (!/^[\x21-\x7E]{1,1000}$/.test(key))
    throw new AgentRefusal('the key has signs that no key has', 'copy it again, without spaces or line breaks');
  return key;
}

function authorityOf(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new AgentRefusal(`the authority ${path} cannot be read`, 'give a PEM file with --ca', { cause: error });
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw new AgentRefusal(`${path} holds no certificate`, 'give a PEM file with --ca');
  return text;
}

function defaultWorkFolder(environment: Environment): string {
  if (process.platform === 'win32') return join(environment['LOCALAPPDATA'] ?? homedir(), 'berth-agent');
  if (userInfo().uid === 0) return '/var/lib/berth-agent';
  return join(environment['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'berth-agent');
}

function wrong(name: string, value: string, wanted: string): AgentRefusal {
  return new AgentRefusal(`--${name} cannot be ${JSON.stringify(value.slice(0, 100))}`, `give ${wanted}`);
}

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramMissing, runProgram } from '../../engine/run-program.ts';
import { SourceError } from '../source-error.ts';

/** What git gets of the agent's own environment. */
const handedOn = [
  'PATH SystemRoot TEMP TMP',
  'HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy GIT_SSL_CAINFO SSL_CERT_FILE SSL_CERT_DIR',
].flatMap((names) => names.split(' '));

/** Whatever a repository or the machine says: no hooks, no helpers, no work in the background. */
const settings: Readonly<Record<string, string>> = {
  'core.hooksPath': process.platform === 'win32' ? 'NUL' : '/dev/null',
  'core.fsmonitor': 'false',
  'credential.helper': '',
  'credential.useHttpPath': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'advice.detachedHead': 'false',
  'init.defaultBranch': 'main',
  'protocol.version': '2',
  'http.lowSpeedLimit': '1000',
  'http.lowSpeedTime': '60',
  'uploadpack.packObjectsHook': '',
  'fetch.recurseSubmodules': 'false',
};

export interface GitOptions {
  /** Where it works. */
  readonly folder: string;
  /** Of the run, outside of the workspace. */
  readonly runFolder: string;
  /** Where passwords lie: in memory, deleted after the run. */
  readonly secretsFolder: string;
  readonly allowsLocal: boolean;
  /** `user:password`, or a password; it is given to this origin alone. */
  readonly credentials: { readonly origin: string; readonly text: string } | undefined;
  readonly signal: AbortSignal;
  log(text: string): void;
}

export interface GitEnd {
  readonly isDone: boolean;
  readonly output: string;
  /** What it says went wrong. */
  readonly complaint: string;
}

/** The git program, shut off from the machine's configuration. */
export class Git {
  readonly #options: GitOptions;
  readonly #environment: Record<string, string>;

  /** @param more variables of its own */
  constructor(options: GitOptions, more: Readonly<Record<string, string>> = {}) {
    this.#options = options;
    const home = join(options.secretsFolder, 'git');
    const templates = join(home, 'templates');
    mkdirSync(templates, { recursive: true, mode: 0o700 });
    this.#environment = {
      ...Object.fromEntries(handedOn.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key]]]))),
      HOME: home,
      LC_ALL: 'C.UTF-8',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: process.platform === 'win32' ? 'NUL' : '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TEMPLATE_DIR: templates,
      GIT_TERMINAL_PROMPT: '0',
      GIT_ALLOW_PROTOCOL: `https:http:ssh:git${options.allowsLocal ? ':file' : ''}`,
      GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=30',
      GIT_ASKPASS: askpass(options.runFolder, home, options.credentials),
      ...settingsAsVariables(),
      ...more,
    };
  }

  /** The same for addresses that a stranger wrote: without the password, and without keys that the agent may have for ssh. */
  withoutRights(): Git {
    const protocols = `https:http:git${this.#options.allowsLocal ? ':file' : ''}`;
    // LFS asks ssh by itself, whatever protocols git may use.
    return new Git(this.#options, { GIT_ASKPASS: '', GIT_ALLOW_PROTOCOL: protocols, GIT_SSH_COMMAND: 'false' });
  }

  /** Runs git to its end. @throws SourceError when there is no git, or the signal's reason */
  async run(args: readonly string[], { isQuiet = false }: { readonly isQuiet?: boolean } = {}): Promise<GitEnd> {
    const { folder, signal, log } = this.#options;
    const output: string[] = [];
    const complaints: string[] = [];
    let outputLength = 0;
    try {
      const { exitCode } = await runProgram('git', args, {
        environment: this.#environment,
        cwd: folder,
        signal,
        onLine: (stream, line) => {
          if (stream === 'stdout' && outputLength < 4_000_000) {
            output.push(line);
            outputLength += line.length + 1;
          }
          // What follows says the same without a path of this machine.
          if (stream !== 'stderr' || line.startsWith('error: unable to read askpass response')) return;
          if (complaints.push(line) > 20) complaints.shift();
          if (!isQuiet && /^(?:warning|error|fatal|remote):/.test(line)) log(line);
        },
      });
      signal.throwIfAborted();
      return {
        isDone: exitCode === 0,
        output: output.join('\n'),
        complaint: complaints.filter((line) => line.trim() !== '').join(' '),
      };
    } catch (error) {
      if (error instanceof ProgramMissing)
        throw new SourceError('git is not installed where the agent runs: install it, or upload the files instead', {
          cause: error,
        });
      throw error;
    }
  }

  /** What it prints. @throws SourceError when it fails */
  async query(args: readonly string[], what: string): Promise<string> {
    const { isDone, output, complaint } = await this.run(args, { isQuiet: true });
    if (!isDone) throw new SourceError(`${what}: ${complaint === '' ? 'git failed' : complaint}`);
    return output;
  }
}

function settingsAsVariables(): Readonly<Record<string, string>> {
  const entries = Object.entries(settings);
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(entries.length)],
    ...entries.flatMap(([key, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, key],
      [`GIT_CONFIG_VALUE_${at}`, value],
    ]),
  ]) as Record<string, string>;
}

/**
 * The program that git asks for a name and a password. Both lie in files, not in its text; asked for any other host, as after
 * a redirect or by a submodule, it has none.
 */
function askpass(folder: string, home: string, credentials: GitOptions['credentials']): string {
  // Places in memory are often closed to programs.
  const path = join(folder, 'askpass');
  const { user, password } = splitCredentials(credentials?.text ?? '');
  writeFileSync(join(home, 'user'), user, { mode: 0o600 });
  writeFileSync(join(home, 'password'), password, { mode: 0o600 });
  const origin = credentials?.origin ?? '';
  const [scheme = '', host = ''] = /^(https?):\/\/([A-Za-z0-9.:[\]_-]+)$/.exec(origin)?.slice(1) ?? [];
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const script =
    host === ''
      ? '#!/bin/sh\nexit 1\n'
      : `#!/bin/sh
home=${quoted(home.replaceAll('\\', '/'))}
case "$1" in
  "Username for '"${quoted(`${scheme}://${host}`)}"': ") cat "$home/user" ;;
  "Password for '"${quoted(`${scheme}://`)}*"@"${quoted(host)}"': ") cat "$home/password" ;;
  *) exit 1 ;;
esac
`;
  writeFileSync(path, script, { mode: 0o700 });
  chmodSync(path, 0o700);
  return path;
}

function splitCredentials(text: string): { readonly user: string; readonly password: string } {
  const colon = text.indexOf(':');
  // Every forge takes a token as the password, and any name with it.
  return colon > 0 ? { user: text.slice(0, colon), password: text.slice(colon + 1) } : { user: 'x-access-token', password: text };
}

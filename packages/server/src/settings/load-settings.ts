import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Refusal } from '../errors/index.ts';
import { type SettingValue, ValueProblem, parseValue } from './parse-value.ts';
import { type Setting, propertyOf } from './setting.ts';
import { type Settings, settingsTable } from './settings-table.ts';

export type SettingSource = 'command line' | 'environment' | 'file' | 'default';

export interface LoadedSettings {
  readonly settings: Settings;
  /** Where each setting's value came from, by name. */
  readonly sources: ReadonlyMap<string, SettingSource>;
}

export interface LoadOptions {
  /** What stands after the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly cwd: string;
}

type Texts = ReadonlyMap<string, string>;

const rows: readonly Setting[] = settingsTable;

/** Reads the command line, the environment, the file and the defaults, in this order. @throws Refusal */
export function loadSettings({ argv, env, cwd }: LoadOptions): LoadedSettings {
  const flags = textsOfArguments(argv);
  const variables = textsOfEnvironment(env);
  const file = flags.get('config') ?? variables.get('config');
  const layers: readonly (readonly [SettingSource, Texts])[] = [
    ['command line', flags],
    ['environment', variables],
    ['file', file === undefined ? new Map<string, string>() : textsOfFile(file, cwd)],
  ];
  const values: Record<string, SettingValue | undefined> = {};
  const sources = new Map<string, SettingSource>();
  for (const row of rows) {
    const [source, texts] = layers.find(([, each]) => each.has(row.name)) ?? ['default', undefined];
    const text = texts === undefined ? row.default : texts.get(row.name);
    values[propertyOf(row)] = text === undefined ? undefined : valueOf(row, text, { source, cwd });
    if (text !== undefined) sources.set(row.name, source);
  }
  // Each row has filled its property with a value of its kind: the type is made from the same rows.
  const settings = values as unknown as Settings;
  checkTogether(settings);
  return { settings, sources };
}

function valueOf(
  row: Setting,
  text: string,
  { source, cwd }: { readonly source: SettingSource; readonly cwd: string },
): SettingValue {
  try {
    return parseValue(row, text, cwd);
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error;
    const shown = row.kind === 'secret' || row.isSecret === true ? '' : `, not "${text.slice(0, 80)}"`;
    throw new Refusal(`${spelling(row, source)} ${error.message}${shown}`, 'see --help for all settings');
  }
}

/** The setting's name in the place where the user wrote it. */
function spelling(row: Setting, source: SettingSource): string {
  if (source === 'environment') return row.env;
  return source === 'command line' && row.flag !== undefined ? `--${row.flag}` : `the setting ${row.name}`;
}

function textsOfArguments(argv: readonly string[]): Texts {
  const withFlag = rows.flatMap((row) => (row.flag === undefined ? [] : [{ row, flag: row.flag }]));
  const options = Object.fromEntries(
    withFlag.map(({ row, flag }) => [flag, { type: row.kind === 'switch' ? ('boolean' as const) : ('string' as const) }]),
  );
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false, allowNegative: true });
    return new Map(
      withFlag.flatMap(({ row, flag }) => {
        const value = values[flag];
        return value === undefined ? [] : [[row.name, String(value)] as const];
      }),
    );
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [sentence = ''] = error.message.split('. ', 1);
    throw new Refusal(sentence.charAt(0).toLowerCase() + sentence.slice(1), 'see --help for all options');
  }
}

function textsOfEnvironment(env: LoadOptions['env']): Texts {
  return new Map(
    rows.flatMap((row) => {
      const text = env[row.env];
      return text === undefined || text === '' ? [] : [[row.name, text] as const];
    }),
  );
}

function textsOfFile(file: string, cwd: string): Texts {
  const path = String(parseValue({ name: 'config', kind: 'path', env: '', group: 'Start', help: '' }, file, cwd));
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? `is not JSON: ${error.message}` : 'cannot be read';
    throw new Refusal(`the settings file ${path} ${reason}`, 'correct it, or start without --config');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new Refusal(`the settings file ${path} must hold one JSON object`, 'for example {"port": 5000}');
  }
  return new Map(Object.entries(content).map(([name, value]) => [nameInFile(name, path), textInFile(name, value, path)]));
}

function nameInFile(name: string, path: string): string {
  if (name !== 'config' && rows.some((row) => row.name === name)) return name;
  throw new Refusal(`the settings file ${path} names "${name.slice(0, 80)}", which is no setting`, 'see --help for all settings');
}

function textInFile(name: string, value: unknown, path: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  const row = rows.find((each) => each.name === name);
  if (row?.kind === 'json' && typeof value === 'object') return JSON.stringify(value);
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value.join(',');
  throw new Refusal(`the setting ${name} in ${path} must be a text, a number, a boolean or a list of texts`, 'correct the file');
}

function checkTogether(settings: Settings): void {
  const { tls, tlsCert, peerClientCa } = settings;
  checkPair(settings, 'tlsCert', 'tlsKey');
  checkPair(settings, 'peerCert', 'peerCertKey');
  if (peerClientCa !== undefined && tls === 'off' && tlsCert === undefined)
    throw new Refusal(
      'peerClientCa is set, and this server speaks no TLS: no region could show it a certificate',
      'set tls or tlsCert, or let the proxy that speaks TLS ask for certificates',
    );
  if (tls === 'auto' && tlsCert !== undefined)
    throw new Refusal('tls is auto, and tlsCert names a certificate', 'give one of them');
}

function checkPair(settings: Settings, one: 'tlsCert' | 'peerCert', other: 'tlsKey' | 'peerCertKey'): void {
  if ((settings[one] === undefined) === (settings[other] === undefined)) return;
  const [given, missing] = settings[one] === undefined ? [other, one] : [one, other];
  throw new Refusal(`${given} is set without ${missing}`, 'give both, or neither');
}

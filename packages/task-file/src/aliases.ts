import { parse as parseYaml } from 'yaml';
import { TaskFileError } from './task-file-error.ts';
import { type Dictionary, type Value, isDictionary, render } from './template/index.ts';

/** Short names that are written `$Name` (acr-tasks 2.3). */

const variables: Readonly<Record<string, string>> = Object.fromEntries(
  ['ID', 'SharedVolume', 'Registry', 'RegistryName', 'Date', 'OS', 'Architecture', 'Commit', 'Branch'].map((name) => [
    name,
    `{{.Run.${name}}}`,
  ]),
);
/** Images that a bare first word of `cmd` stands for, where the operator does not say otherwise; ACR's are its own builds of these. */
const images: Readonly<Record<string, string>> = {
  acr: 'mcr.microsoft.com/acr/acr-cli:0.19',
  az: 'mcr.microsoft.com/acr/azure-cli:latest',
  bash: 'mcr.microsoft.com/acr/bash:latest',
  curl: 'mcr.microsoft.com/acr/curl:latest',
  cssc: 'mcr.microsoft.com/acr/cssc:latest',
};

export interface AliasOptions {
  /** Images for the names above, or others; they win over the built-in ones. */
  readonly images?: Readonly<Record<string, string>>;
  /** The documents that `alias.src` names, by that name. Who calls fetches them: see `aliasSources`. */
  readonly sources?: ReadonlyMap<string, string>;
}

export interface AliasTable {
  readonly names: ReadonlyMap<string, string>;
  readonly directive: string;
}

/** What the alias block of a task file says. */
interface AliasBlock {
  readonly values: Readonly<Record<string, string>>;
  readonly src: readonly string[];
  readonly directive: string;
}

/** From this version on; in any case of its letters, unlike ACR, which takes `V1.1.0` and then leaves aliases off. */
export function hasAliases(version: string): boolean {
  return version.toLowerCase() === 'v1.1.0';
}

/** The files and addresses that the alias block names. @throws TaskFileError */
export function sourcesOf(block: string, data: Dictionary): readonly string[] {
  return readBlock(block, data).src;
}

/** Inline values win over later sources, these over earlier ones, and these over what is built in. @throws TaskFileError */
export function aliasTable(block: string, data: Dictionary, { images: own = {}, sources = new Map() }: AliasOptions): AliasTable {
  const { values, src, directive } = readBlock(block, data);
  const names = new Map(Object.entries({ ...images, ...own, ...variables }));
  for (const name of src) {
    const document = sources.get(name);
    if (document === undefined) throw problem(`alias.src names ${name}, which could not be read`);
    for (const [key, value] of Object.entries(namedTexts(parseText(document, `the alias source ${name}`), name)))
      names.set(key, value);
  }
  for (const [key, value] of Object.entries(values)) names.set(key, value);
  return { names, directive };
}

/** Replaces `$name`, which ends before the first character that is no letter or digit; `$$` is one `$`; unknown names stay. */
export function expandAliases(text: string, { names, directive }: AliasTable): string {
  const sign = directive.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  return text.replaceAll(new RegExp(`${sign}(${sign}|[A-Za-z0-9]+)`, 'g'), (whole, name: string) =>
    name === directive ? directive : (names.get(name) ?? whole),
  );
}

/** A bare first word that is an alias stands for what it names. */
export function expandFirstWord(command: string, { names }: AliasTable): string {
  const word = /^\s*([A-Za-z0-9]+)(?=\s|$)/.exec(command);
  const value = word?.[1] === undefined ? undefined : names.get(word[1]);
  return word === null || value === undefined ? command : value + command.slice(word[0].length);
}

function readBlock(block: string, data: Dictionary): AliasBlock {
  const alias = block.trim() === '' ? {} : parseText(render(block, data), 'alias');
  const body = isDictionary(alias) && isDictionary(alias['alias'] ?? null) ? (alias['alias'] as Dictionary) : {};
  const unknown = Object.keys(body).find((name) => !['values', 'src', 'directive'].includes(name));
  if (unknown !== undefined) throw problem(`alias has ${unknown}; it takes values, src and directive`);
  const { directive = '$', src = [] } = body;
  if (typeof directive !== 'string' || !/^[^A-Za-z0-9\s]$/.test(directive))
    throw problem('alias.directive is one character that is no letter, digit or space');
  const sources = Array.isArray(src) ? (src as readonly Value[]) : [src];
  if (!sources.every((each) => typeof each === 'string')) throw problem('alias.src is a list of files and addresses');
  return { values: namedTexts(body['values'] ?? null, 'alias.values'), src: sources, directive };
}

function namedTexts(value: Value, where: string): Record<string, string> {
  if (value === null) return {};
  if (!isDictionary(value)) throw problem(`${where} is a map of names to texts`);
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => {
      if (!/^[A-Za-z0-9]+$/.test(name))
        throw problem(`${where} has the name ${JSON.stringify(name)}; names are letters and digits`);
      if (typeof text === 'object') throw problem(`${where} has no text for ${name}`);
      return [name, String(text)];
    }),
  );
}

function parseText(text: string, where: string): Value {
  try {
    return parseYaml(text, { maxAliasCount: 0 }) as Value;
  } catch (error) {
    throw problem(`${where} is no YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`);
  }
}

function problem(message: string): TaskFileError {
  return new TaskFileError([{ message, place: undefined }]);
}

import { readFileSync } from 'node:fs';
import type { NamedValue } from '@berth/api';
import { CommandError } from './command-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const maxValueBytes = 512 * 1024;

/** `NAME=VALUE`, for `--set`. @throws CommandError */
export function readValues(option: string, texts: readonly string[] = []): readonly NamedValue[] {
  return texts.map((text) => {
    const { name, value } = split(option, text);
    if (value === undefined) throw new CommandError(`${option} ${text} has no value`, `write ${option} ${text}=VALUE`);
    return { name, value };
  });
}

/** `NAME=VALUE`, or `NAME` with the value of that variable, if it is set: as `docker build --build-arg`. */
export function readArguments(option: string, texts: readonly string[] = [], environment: Environment): readonly NamedValue[] {
  return texts.flatMap((text) => {
    const { name, value = environment[name] } = split(option, text);
    return value === undefined ? [] : [{ name, value }];
  });
}

/** As arguments, but kept secret, and missing when there is no value. @throws CommandError */
export function readSecretValues(option: string, texts: readonly string[] = [], environment: Environment): readonly NamedValue[] {
  return texts.map((text) => {
    const { name, value = environment[name] } = split(option, text);
    if (value === undefined)
      throw new CommandError(
        `${option} ${name} has no value, and the variable ${name} is not set`,
        `set ${name} in the environment`,
      );
    return { name, value, isSecret: true };
  });
}

/** `id=NAME[,env=VARIABLE|,src=FILE]`, as `docker build --secret`. @throws CommandError */
export function readBuildSecrets(texts: readonly string[] = [], environment: Environment): readonly NamedValue[] {
  return texts.map((text) => {
    const fields = new Map(
      text.split(',').map((field) => [field.split('=', 1)[0] ?? '', field.slice(field.indexOf('=') + 1)] as const),
    );
    const unknown = [...fields.keys()].find((field) => !['id', 'env', 'src', 'source', 'type'].includes(field));
    const id = fields.get('id') ?? '';
    const file = fields.get('src') ?? fields.get('source');
    if (unknown !== undefined || id === '')
      throw new CommandError(`--secret ${text} is not understood`, 'write --secret id=NAME, with ,env=VARIABLE or ,src=FILE');
    return {
      name: id,
      value: file === undefined ? variable(fields.get('env') ?? id, id, environment) : secretFile(file),
      isSecret: true,
    };
  });
}

function variable(name: string, id: string, environment: Environment): string {
  const value = environment[name];
  if (value !== undefined) return value;
  throw new CommandError(
    `--secret id=${id} takes its value from the variable ${name}, which is not set`,
    `set ${name}, or name a file: --secret id=${id},src=FILE`,
  );
}

/** Text of a file that holds a secret. @throws CommandError */
function secretFile(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new CommandError(`the secret file ${path} cannot be read`, 'name a file that is there and readable', { cause: error });
  }
  if (bytes.length > maxValueBytes) throw new CommandError(`the secret file ${path} has more than ${maxValueBytes} bytes`);
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes))
    throw new CommandError(`the secret file ${path} is no text`, 'encode it, for example with base64');
  return text;
}

function split(option: string, text: string): { readonly name: string; readonly value: string | undefined } {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  if (name === '') throw new CommandError(`${option} has a value without a name`, `write ${option} NAME=VALUE`);
  return { name, value: at < 0 ? undefined : text.slice(at + 1) };
}

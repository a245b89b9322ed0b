import { readFileSync } from 'node:fs';
import { tasks } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import { CommandError } from '../command-error.ts';
import type { Connection } from '../connection.ts';
import { tableLines } from '../log-view/table.ts';
import { type Output, show } from '../output.ts';
import { promptSecret } from '../prompt-secret.ts';
import { readInput } from '../read-input.ts';

interface Secret {
  readonly name: string;
  readonly updatedAt: string;
}

/** `berth secrets list`: names only. */
export async function listTaskSecrets(connection: Connection, output: Output): Promise<void> {
  const { secrets } = (await callOperation(connection, tasks.listSecrets)) as { readonly secrets: readonly Secret[] };
  const lines = tableLines(
    ['secret', 'set'],
    secrets.map(({ name, updatedAt }) => [name, updatedAt.replace(/\.\d+Z$/, 'Z')]),
  );
  show(
    output,
    secrets,
    secrets.length === 0 ? 'There are no secrets. Keep one: berth secrets set NAME < FILE' : lines.join('\n'),
  );
}

/** `berth secrets set`: the value comes from a file, from the standard input or from the terminal, never from an argument. */
export async function setTaskSecret(
  connection: Connection,
  output: Output,
  { name, file }: { readonly name: string; readonly file: string | undefined },
): Promise<void> {
  const value = await readValue(name, file);
  if (value === '')
    throw new CommandError('the value is empty', 'give the value of the secret, or delete it: berth secrets delete');
  const secret = await callOperation(connection, tasks.putSecret, { params: { secret: name }, body: { value } });
  show(output, secret, `The secret ${name} is kept; task files name it https://berth/secrets/${name}.`);
}

async function readValue(name: string, file: string | undefined): Promise<string> {
  if (file === undefined && process.stdin.isTTY) return promptSecret(`Value of ${name}: `);
  const bytes = file === undefined || file === '-' ? await readInput('the value') : readSecretFile(file);
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) throw new CommandError('the value is no text', 'encode it, for example with base64');
  // What echo and editors put at the end is not meant.
  return text.replace(/\r?\n$/, '');
}

function readSecretFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CommandError(`the file ${path} cannot be read`, 'name a file that is there and readable', { cause: error });
  }
}

/** `berth secrets delete`. */
export async function deleteTaskSecret(connection: Connection, output: Output, name: string): Promise<void> {
  await callOperation(connection, tasks.deleteSecret, { params: { secret: name } });
  show(output, { name }, `The secret ${name} is deleted.`);
}

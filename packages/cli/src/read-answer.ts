import type { IncomingMessage } from 'node:http';
import type { Operation } from '@berth/api';
import { CommandError } from './command-error.ts';
import type { Connection } from './connection.ts';

const maxAnswerBytes = 16 * 1024 * 1024;

/** The JSON that an operation answers with. @throws CommandError with what the server says, or that it is none of ours */
export async function readAnswer(connection: Connection, operation: Operation, incoming: IncomingMessage): Promise<unknown> {
  const status = incoming.statusCode ?? 0;
  const json = parseJson(await readText(incoming, connection.origin));
  const expected = operation.responses[status];
  if (expected === undefined) throw refusal(connection, status, json);
  if (status === 204) return undefined;
  if (hasMembers(json, expected.schema)) return json;
  throw noBerthServer(connection);
}

/** Whether it may be the answer: an object with what the schema, a plain JSON Schema, requires. */
function hasMembers(json: unknown, schema: object = {}): boolean {
  const { required = [] } = schema as { readonly required?: readonly string[] };
  return typeof json === 'object' && json !== null && required.every((name) => name in json);
}

async function readText(incoming: IncomingMessage, origin: string): Promise<string> {
  let text = '';
  incoming.setEncoding('utf8');
  try {
    for await (const chunk of incoming as AsyncIterable<string>) {
      text += chunk;
      if (text.length > maxAnswerBytes) break;
    }
  } catch (error) {
    throw new CommandError(`${origin} broke off its answer`, 'see that the server still runs, and try again', { cause: error });
  }
  if (text.length > maxAnswerBytes) throw new CommandError('the answer is larger than any that a Berth server gives');
  return text;
}

function refusal(connection: Connection, status: number, json: unknown): CommandError {
  const said = messageOf(json);
  if (said === undefined) return noBerthServer(connection, ` (status ${status})`);
  if (status !== 401) return new CommandError(said);
  const { passwordFrom, remedy } = connection;
  const more = remedy === undefined ? '' : `; if it was replaced since, ${remedy}`;
  return new CommandError(said, `check the password in ${passwordFrom}${more}`);
}

function noBerthServer({ origin }: Connection, detail = ''): CommandError {
  return new CommandError(`what answers at ${origin} is no Berth server${detail}`, 'see that BERTH_SERVER names the right one');
}

/** The message of the envelope that errors come in. */
function messageOf(json: unknown): string | undefined {
  const { errors } = (json ?? {}) as { errors?: readonly { message?: string }[] };
  return errors?.[0]?.message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { type IncomingMessage, type RequestOptions, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { getCACertificates } from 'node:tls';
import type { Operation } from '@berth/api';
import { CommandError } from './command-error.ts';
import type { Connection } from './connection.ts';

/** Every operation of the command line answers at once and works on in the background. */
const answerTimeoutMs = 60_000;

const maxAnswerBytes = 16 * 1024 * 1024;

/** Asks a server to do an operation of the contract; resolves with the JSON of its answer. @throws CommandError */
export async function callOperation(
  connection: Connection,
  operation: Operation,
  input: {
    readonly params?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, string>>;
    readonly body?: object;
  } = {},
): Promise<unknown> {
  const query = input.query === undefined ? '' : `?${new URLSearchParams(input.query)}`;
  const path =
    operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(input.params?.[name] ?? '')) + query;
  const body = operation.body === undefined ? undefined : JSON.stringify(input.body ?? {});
  const answer = await send(connection, { method: operation.method, path, body });
  const json = parseJson(answer.text);
  const expected = operation.responses[answer.status];
  if (expected === undefined) throw refusal(connection, answer.status, json);
  if (answer.status === 204) return undefined;
  if (hasMembers(json, expected.schema)) return json;
  throw noBerthServer(connection);
}

/** Whether it may be the answer: an object with what the schema, a plain JSON Schema, requires. */
function hasMembers(json: unknown, schema: object = {}): boolean {
  const { required = [] } = schema as { readonly required?: readonly string[] };
  return typeof json === 'object' && json !== null && required.every((name) => name in json);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function send(
  { origin, username, password, authority }: Connection,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: string | undefined },
): Promise<Answer> {
  const options: RequestOptions & { ca?: string[] } = {
    method,
    auth: `${username}:${password}`,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
  };
  if (authority !== undefined) options.ca = [...getCACertificates(), authority];
  return new Promise((resolve, reject) => {
    const start = origin.startsWith('https:') ? httpsRequest : httpRequest;
    const outgoing = start(new URL(path, origin), options, (incoming) => {
      readText(incoming, origin).then((text) => resolve({ status: incoming.statusCode ?? 0, text }), reject);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => reject(noAnswer(origin, error)));
    outgoing.setTimeout(answerTimeoutMs, () => outgoing.destroy(new Error(`nothing came for ${answerTimeoutMs / 1000} seconds`)));
    outgoing.end(body);
  });
}

function noAnswer(origin: string, error: NodeJS.ErrnoException): CommandError {
  return new CommandError(`${origin} does not answer: ${reasonOf(error)}`, nextStepFor(error.code ?? ''), { cause: error });
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  // OpenSSL's own words are a line of file names.
  if (code === 'EPROTO') return 'it does not speak TLS';
  // Of several addresses that a name has, each failed for a reason of its own.
  return message === '' ? (code ?? 'no connection') : message;
}

function nextStepFor(code: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'call the server by a name that its certificate has';
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return 'name the authority that signed its certificate with --ca';
  if (code === 'ECONNRESET' || code === 'EPROTO')
    return 'if it speaks TLS begin BERTH_SERVER with https://, otherwise with http://';
  return 'see that the server runs, and that BERTH_SERVER names it';
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
  const { passwordFrom } = connection;
  const remedy = passwordFrom === 'BERTH_PASSWORD' ? '' : '; if it was replaced since, set BERTH_PASSWORD';
  return new CommandError(said, `check the password in ${passwordFrom}${remedy}`);
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

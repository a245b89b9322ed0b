import { type IncomingMessage, type RequestOptions, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { Operation } from '@berth/api';
import { CommandError } from './command-error.ts';
import type { Connection } from './connection.ts';

const maxAnswerBytes = 16 * 1024 * 1024;

/** Asks a server to do an operation of the contract; resolves with the JSON of its answer. @throws CommandError */
export async function callOperation(
  connection: Connection,
  operation: Operation,
  input: { readonly params?: Readonly<Record<string, string>>; readonly body?: object } = {},
): Promise<unknown> {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(input.params?.[name] ?? ''));
  const body = operation.body === undefined ? undefined : JSON.stringify(input.body ?? {});
  const answer = await send(connection, { method: operation.method, path, body });
  const json = parseJson(answer.text);
  if (!(answer.status in operation.responses)) throw refusal(connection, answer.status, json);
  if (json !== undefined) return json;
  throw new CommandError(`what answers at ${connection.origin} is no Berth server`, 'see that BERTH_SERVER names the right one');
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
  if (authority !== undefined) options.ca = [...rootCertificates, authority];
  return new Promise((resolve, reject) => {
    const start = origin.startsWith('https:') ? httpsRequest : httpRequest;
    const outgoing = start(new URL(path, origin), options, (incoming) => {
      readText(incoming).then((text) => resolve({ status: incoming.statusCode ?? 0, text }), reject);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => reject(noAnswer(origin, error)));
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
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return 'name the authority that signed its certificate with --ca';
  if (code === 'ECONNRESET' || code === 'EPROTO')
    return 'if it speaks TLS begin BERTH_SERVER with https://, otherwise with http://';
  return 'see that the server runs, and that BERTH_SERVER names it';
}

async function readText(incoming: IncomingMessage): Promise<string> {
  let text = '';
  incoming.setEncoding('utf8');
  for await (const chunk of incoming as AsyncIterable<string>) {
    text += chunk;
    if (text.length > maxAnswerBytes) throw new CommandError('the answer is larger than any that a Berth server gives');
  }
  return text;
}

function refusal({ origin, passwordFrom }: Connection, status: number, json: unknown): CommandError {
  const said = messageOf(json) ?? `${origin} answered ${status}`;
  if (status !== 401) return new CommandError(said);
  return new CommandError(said, `check the password in ${passwordFrom}; if it was replaced since, set BERTH_PASSWORD`);
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

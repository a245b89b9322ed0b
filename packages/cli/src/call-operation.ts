import { type IncomingMessage, type RequestOptions, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Operation } from '@berth/api';
import { rootCertificates } from 'node:tls';
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
  if (answer.status in operation.responses) return answer.text === '' ? {} : (JSON.parse(answer.text) as unknown);
  throw refusal(connection, answer);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function send(
  connection: Connection,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: string | undefined },
): Promise<Answer> {
  const { origin, username, password, authority } = connection;
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
    outgoing.on('error', (error) =>
      reject(
        new CommandError(
          `${origin} does not answer: ${error.message}`,
          'see that the server runs, and that BERTH_SERVER names it',
          { cause: error },
        ),
      ),
    );
    outgoing.end(body);
  });
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

function refusal({ origin }: Connection, { status, text }: Answer): CommandError {
  const message = messageOf(text) ?? `${origin} answered ${status}`;
  return status === 401
    ? new CommandError(message, 'check BERTH_USERNAME and BERTH_PASSWORD; this needs the admin user')
    : new CommandError(message);
}

function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { errors?: { message?: string }[] }).errors?.[0]?.message;
  } catch {
    return undefined;
  }
}

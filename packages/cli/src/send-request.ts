import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, RequestOptions } from 'node:http';
import type { Operation } from '@berth/api';
import { CommandError } from './command-error.ts';
import type { Connection } from './connection.ts';

// An import of node:http reads all that it exports, one of which, WebSocket, takes longer to load than the rest of a command; and TLS
// is not always needed.
const http = process.getBuiltinModule('node:http');
const https = () => process.getBuiltinModule('node:https');
const tls = () => process.getBuiltinModule('node:tls');

export interface OperationInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
}

export interface RequestToSend {
  readonly method: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Without a word from the server for so long, the request fails. */
  readonly silenceMs: number;
}

/** The path of an operation with its parameters and query filled in. */
export function pathOf(operation: Operation, { params = {}, query }: OperationInput): string {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  return query === undefined ? path : `${path}?${new URLSearchParams(query)}`;
}

/**
 * Begins a request, signed in. Whoever calls sends its body and ends it. The promise rejects with a CommandError when nobody
 * answers.
 */
export function sendRequest(
  connection: Connection,
  { method, path, headers = {}, silenceMs }: RequestToSend,
): { readonly outgoing: ClientRequest; readonly answer: Promise<IncomingMessage> } {
  const { origin, username, password, authority } = connection;
  const options: RequestOptions & { ca?: string[] } = { method, auth: `${username}:${password}`, headers };
  if (authority !== undefined) options.ca = [...tls().getCACertificates(), authority];
  const url = new URL(path, origin);
  const address = connection.address ?? (url.hostname.endsWith('.localhost') ? 'localhost' : undefined);
  // Not every system knows that these names are its own.
  if (address !== undefined) options.lookup = lookUpAs(address);
  const { request } = origin.startsWith('https:') ? https() : http;
  const outgoing = request(url, options);
  outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error(`nothing came for ${silenceMs / 1000} seconds`)));
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', (error: NodeJS.ErrnoException) => reject(noAnswer(origin, error)));
  });
  return { outgoing, answer };
}

type Found = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

function lookUpAs(name: string): (hostname: string, options: LookupOptions, found: Found) => void {
  return (_hostname, options, found) => lookup(name, options, found);
}

function noAnswer(origin: string, error: NodeJS.ErrnoException): CommandError {
  if (error instanceof CommandError) return error;
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

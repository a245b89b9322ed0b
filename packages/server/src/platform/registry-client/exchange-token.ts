import { OutboundError } from '../outbound/index.ts';
import { type Patience, requestPatiently } from './patient-request.ts';
import { fromOutbound } from './remote-error.ts';

const maxAnswerBytes = 64 * 1024;
const tokenPattern = /^[\x21-\x7e]{1,32768}$/;

export interface TokenToExchange {
  /** The token service; `…/oauth2/token` as Azure's registries name it. */
  readonly realm: URL;
  readonly service: string;
  readonly scope: string;
  /** Of the directory. */
  readonly token: string;
  readonly signal: AbortSignal;
}

/**
 * Makes a registry token of a directory's token, in the two steps that Azure's registries want. Undefined when the
 * registry does not take it so: it may be a token of its own.
 */
export async function exchangeToken(patience: Patience, given: TokenToExchange): Promise<string | undefined> {
  const { realm, service, scope, token, signal } = given;
  const post = async (path: string, fields: Record<string, string>): Promise<unknown> => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(fields).toString();
    const url = new URL(path, realm).href;
    const answer = await requestPatiently(patience, {
      url,
      method: 'POST',
      headers,
      body,
      maxBytes: maxAnswerBytes,
      maxRedirects: 0,
      signal,
    });
    if (answer.status === 200) return jsonOf(() => answer.json());
    answer.discard();
    return undefined;
  };
  const exchanged = await post('/oauth2/exchange', { grant_type: 'access_token', service, access_token: token });
  const refreshToken = textIn(exchanged, 'refresh_token');
  if (refreshToken === undefined) return undefined;
  return textIn(
    await post('/oauth2/token', { grant_type: 'refresh_token', service, scope, refresh_token: refreshToken }),
    'access_token',
  );
}

/** @throws RemoteError */
export async function jsonOf(read: () => Promise<unknown>): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof OutboundError ? fromOutbound(error) : error;
  }
}

/** A token by its name in a document; undefined when it is none that could be sent. */
export function textIn(document: unknown, name: string): string | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  const text: unknown = Object.getOwnPropertyDescriptor(document, name)?.value;
  return typeof text === 'string' && tokenPattern.test(text) ? text : undefined;
}

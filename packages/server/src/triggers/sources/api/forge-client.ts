import { type Outbound, OutboundError } from '../../../platform/outbound/index.ts';
import { Json } from '../json.ts';
import type { ForgeRepository } from './forge-repository.ts';

const totalMs = 20_000;

/** A forge did not do what it was asked. The message may be shown, and says what to do. */
export class ForgeError extends Error {
  override readonly name = 'ForgeError';
  /** Undefined: there was no answer. */
  readonly status: number | undefined;

  constructor(status: number | undefined, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.status = status;
  }

  /** Asking again as it is leads nowhere. */
  get isFinal(): boolean {
    return this.status !== undefined && this.status >= 400 && this.status < 500 && ![408, 409, 425, 429].includes(this.status);
  }
}

export interface ForgeCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly body?: object;
  /** What was tried, to stand behind "to". */
  readonly what: string;
  /** What the token must be allowed. */
  readonly needs: string;
}

export interface ForgeClientOptions {
  readonly outbound: Outbound;
  readonly forge: ForgeRepository['forge'];
  readonly token: string;
  readonly signal: AbortSignal;
}

/** The API of a forge, with the token of a trigger. */
export class ForgeClient {
  readonly #options: ForgeClientOptions;

  constructor(options: ForgeClientOptions) {
    this.#options = options;
  }

  /** @throws ForgeError */
  async call({ method, url, body, what, needs }: ForgeCall): Promise<Json> {
    const { outbound, forge, token, signal } = this.#options;
    const host = new URL(url).host;
    try {
      const answer = await outbound.request({
        method,
        url,
        signal,
        totalMs,
        // A token goes nowhere else.
        maxRedirects: 0,
        headers: {
          ...headersOf(forge, token),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (answer.status < 200 || answer.status > 299) {
        answer.discard();
        throw new ForgeError(answer.status, explain({ host, status: answer.status, what, needs }));
      }
      return Json.parse((await answer.bytes()).toString('utf8')) ?? new Json(undefined);
    } catch (error) {
      if (error instanceof OutboundError) throw new ForgeError(undefined, `${error.message}, asked to ${what}`, error);
      throw error;
    }
  }
}

function headersOf(forge: ForgeRepository['forge'], token: string): Readonly<Record<string, string>> {
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
  switch (forge) {
    case 'github':
      return { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };
    case 'gitlab':
      return { 'private-token': token };
    case 'gitea':
      return { authorization: `token ${token}` };
    // A token of a repository stands alone, one of a user behind the user's name.
    case 'bitbucket':
      return { authorization: token.includes(':') ? basic(token) : `Bearer ${token}` };
    case 'azure':
      return { authorization: token.startsWith('eyJ') ? `Bearer ${token}` : basic(`:${token}`) };
  }
}

interface Refusal {
  readonly host: string;
  readonly status: number;
  readonly what: string;
  readonly needs: string;
}

function explain({ host, status, what, needs }: Refusal): string {
  const asked = `${host} answers with ${status}, asked to ${what}`;
  if (status === 401) return `${asked}: the token of the trigger is wrong or has expired; give it a new one that may ${needs}`;
  if (status === 403 || status === 404) return `${asked}: the token of the trigger must be allowed to ${needs}`;
  if (status === 429) return `${asked}: it is asked too often`;
  return asked;
}

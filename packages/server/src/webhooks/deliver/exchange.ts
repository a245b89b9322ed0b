import type { Callback } from '../model.ts';

/** What was sent last and what came back, as it is kept: without secrets (attack 31). The body sent is the event's payload. */
export interface Exchange {
  /** Milliseconds. */
  readonly at: number;
  readonly durationMs: number;
  readonly request: {
    readonly uri: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  /** Null: there was none, see `problem`. */
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly content: string;
  } | null;
  readonly problem: string | null;
}

const redacted = '[redacted]';

/** Names whose values are nobody's secret. */
const openHeaders = new Set(['content-type', 'user-agent', 'aeg-event-type', 'webhook-id', 'webhook-timestamp']);
const secretAnswers = new Set(['set-cookie', 'set-cookie2', 'authorization', 'proxy-authorization']);
const maxHeaders = 50;
const maxHeaderLength = 256;
const maxContentLength = 4096;
/** Shorter values are no secrets, and stand in many texts by chance. */
const minSecretLength = 4;

/** Whom it went to: paths and queries of such addresses often are secrets. */
export function shownAddress(address: string): string {
  const url = URL.parse(address);
  if (url === null) return redacted;
  return url.pathname === '/' && url.search === '' ? `${url.origin}/` : `${url.origin}/${redacted}`;
}

export function shownHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, openHeaders.has(name.toLowerCase()) ? value : redacted]),
  );
}

/** An answer as it may be shown: a receiver may send back what it was sent. */
export function shownAnswer(
  { headers, content }: { readonly headers: Readonly<Record<string, string | undefined>>; readonly content: string },
  { customHeaders, signingSecret }: Callback,
): { readonly headers: Readonly<Record<string, string>>; readonly content: string } {
  const secrets = [...Object.values(customHeaders), ...(signingSecret === undefined ? [] : [signingSecret])]
    .flatMap((value) => [value, value.replace(/^\S+\s+/, '')])
    .filter((value) => value.length >= minSecretLength);
  const hide = (text: string): string => secrets.reduce((shown, secret) => shown.replaceAll(secret, redacted), text);
  const entries = Object.entries(headers).slice(0, maxHeaders);
  return {
    headers: Object.fromEntries(
      entries.map(([name, value = '']) => [name, secretAnswers.has(name) ? redacted : hide(value).slice(0, maxHeaderLength)]),
    ),
    // PostgreSQL keeps no NUL.
    content: hide(content).slice(0, maxContentLength).replaceAll('\0', '\uFFFD'),
  };
}

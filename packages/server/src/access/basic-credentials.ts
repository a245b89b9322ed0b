import type { Credentials } from './sign-in.ts';

/** The user name and password of a Basic header (RFC 7617); undefined when it is none. The password may hold colons. */
export function parseBasic(authorization: string | undefined): Credentials | undefined {
  const match = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? '');
  if (match === null) return undefined;
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

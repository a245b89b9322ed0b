import { SourceError } from '../source-error.ts';

export interface GitAddress {
  /** Without a name or a password. */
  readonly url: string;
  /** Undefined: a folder of this machine. */
  readonly host: string | undefined;
  /** `https://host`, as git names it when it asks for a password; undefined where there is none to ask for. */
  readonly origin: string | undefined;
  /** What stood in the address. */
  readonly credentials: string | undefined;
}

const scpLike = /^(?:[A-Za-z0-9_][\w.-]*@)([A-Za-z0-9][\w.-]*):(?!\/\/)[^\s:]\S*$/;

/**
 * An address that may be handed to git: of a protocol without tricks (`ext::` runs programs), not an option, without secrets
 * (attack 28). @throws SourceError
 */
export function parseGitAddress(text: string, { allowsLocal }: { readonly allowsLocal: boolean }): GitAddress {
  const shown = JSON.stringify(text.replace(/\/\/[^/@]*@/, '//***@').slice(0, 200));
  if (text.startsWith('-') || !/^[\x21-\x7E]{1,2000}$/.test(text) || /^[A-Za-z0-9+.-]*::/.test(text))
    throw new SourceError(`${shown} is no address of a git repository: write it as https://host/path.git`);
  const scp = scpLike.exec(text);
  if (scp !== null) return { url: text, host: scp[1], origin: undefined, credentials: undefined };
  if (!URL.canParse(text)) throw new SourceError(`${shown} is no address of a git repository: write it as https://host/path.git`);
  const url = new URL(text);
  if (url.protocol === 'file:' && allowsLocal) return { url: text, host: undefined, origin: undefined, credentials: undefined };
  if (!['https:', 'http:', 'ssh:', 'git:'].includes(url.protocol) || !/^\[?[A-Za-z0-9]/.test(url.hostname))
    throw new SourceError(
      `${shown} cannot be cloned: addresses of git repositories begin with https://, http://, ssh:// or git://`,
    );
  if (url.protocol === 'ssh:' || url.protocol === 'git:') {
    if (url.password !== '' || /^-|%2d/i.test(url.username)) throw new SourceError(`${shown} must not hold a password`);
    return { url: text, host: url.hostname, origin: undefined, credentials: undefined };
  }
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  url.username = '';
  url.password = '';
  const credentials = password === '' ? user : `${user}:${password}`;
  return { url: url.href, host: url.hostname, origin: url.origin, credentials: credentials === '' ? undefined : credentials };
}

/** What git may be asked to fetch: no option, and no pattern. @throws SourceError */
export function requireRef(ref: string): string {
  const isFine =
    ref.length <= 250 && /^[^\s\p{Cc}~^:?*[\\]+$/u.test(ref) && !/^[-/.]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|[/.]$/.test(ref);
  if (!isFine) throw new SourceError(`${JSON.stringify(ref.slice(0, 200))} is no branch, tag, commit or pull/N/head`);
  return ref;
}

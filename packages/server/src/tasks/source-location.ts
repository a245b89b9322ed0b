import type { RunSource } from '@berth/api';
import { invalid } from '../resources/index.ts';

/** Where the files of a run come from, as people write it, and the token that stood in the address (acr-tasks 3). */
export interface SourceLocation {
  /** Undefined: there are none. */
  readonly source: RunSource | undefined;
  readonly token: string | undefined;
  /** The text without its token: what may be kept and shown. */
  readonly text: string;
}

/** What an address may be given by `listBuildSourceUploadUrl`. */
const uploadPattern = /^source\/([A-Za-z0-9_-]{1,100})$/;
const scpPattern = /^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^\s]+$/;
const gitProtocols = ['git:', 'ssh:'];

/**
 * Reads a context: `https://…/repo.git#ref:folder`, an archive, `oci://…`, `source/<id>` that was uploaded; nothing and
 * `/dev/null` are no context. `at` names the field.
 * @throws INVALID_PARAMETER
 */
export function parseSourceLocation(text: string | undefined, at: string): SourceLocation {
  if (text === undefined || text === '' || text === '/dev/null') return { source: undefined, token: undefined, text: text ?? '' };
  const upload = uploadPattern.exec(text)?.[1];
  if (upload !== undefined) return { source: { kind: 'upload', id: upload }, token: undefined, text };
  if (text.startsWith('oci://'))
    return { source: { kind: 'oci', reference: text.slice('oci://'.length) }, token: undefined, text };
  const hash = text.indexOf('#');
  const address = hash === -1 ? text : text.slice(0, hash);
  const fragment = hash === -1 ? undefined : text.slice(hash + 1);
  if (scpPattern.test(address)) return { source: gitSource(address, fragment), token: undefined, text };
  const url = URL.parse(address);
  if (url === null || !['http:', 'https:', ...gitProtocols].includes(url.protocol))
    throw invalid(
      at,
      'must be the https:// address of a git repository (ending in .git, with #branch:folder if wanted) or of an archive, an artifact as oci://registry/repository:tag, or /dev/null',
    );
  return readAddress(url, fragment);
}

function readAddress(url: URL, fragment: string | undefined): SourceLocation {
  const isWeb = !gitProtocols.includes(url.protocol);
  // A password in an address is a secret, which belongs elsewhere (attack 31).
  const token = isWeb ? tokenIn(url) : undefined;
  if (isWeb) {
    url.username = '';
    url.password = '';
  }
  const plain = url.href;
  const text = fragment === undefined ? plain : `${plain}#${fragment}`;
  const isGit = !isWeb || fragment !== undefined || isRepository(url);
  return { source: isGit ? gitSource(plain, fragment) : { kind: 'archive', url: plain }, token, text };
}

/** `https://<token>@host`, and `https://<any user>:<token>@host`. */
function tokenIn({ username, password }: URL): string | undefined {
  const text = password === '' ? username : password;
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Addresses of forges that are repositories without `.git`, too. */
function isRepository({ hostname, pathname }: URL): boolean {
  if (/\.git\/?$/.test(pathname)) return true;
  if (hostname === 'dev.azure.com' || hostname.endsWith('.visualstudio.com')) return pathname.includes('/_git/');
  return hostname === 'github.com' && /^\/[^/]+\/[^/]+\/?$/.test(pathname);
}

function gitSource(url: string, fragment: string | undefined): RunSource {
  const colon = fragment?.indexOf(':') ?? -1;
  const ref = colon === -1 ? fragment : fragment?.slice(0, colon);
  const folder = colon === -1 ? undefined : fragment?.slice(colon + 1);
  return {
    kind: 'git',
    url,
    ...(ref !== undefined && ref !== '' && { ref }),
    ...(folder !== undefined && folder !== '' && { folder }),
  };
}

/** The host that a token for a context is for; undefined: none is. */
export function tokenHostOf(context: string | undefined): string | undefined {
  const url = context === undefined ? null : URL.parse(context);
  return url === null || url.host === '' ? undefined : `${url.protocol}//${url.host}`;
}

/** The host and the path of a git repository, in the one form in which its many addresses are equal. */
export interface RepositoryAddress {
  /** With the port, if it is not the usual one. */
  readonly host: string;
  /** In lower case, without `.git`. */
  readonly path: string;
}

/** Undefined: it is no address of a repository. What stands behind `#` does not count. */
export function addressOf(text: string): RepositoryAddress | undefined {
  const plain = text.replace(/#.*$/s, '').trim();
  const [, host, path] = /^(?:[\w.-]+@)([\w.-]+):(?!\/\/)(.+)$/s.exec(plain) ?? [];
  if (host !== undefined && path !== undefined) return tidy(host.toLowerCase(), path);
  if (!URL.canParse(plain)) return undefined;
  const url = new URL(plain);
  if (!['http:', 'https:', 'ssh:', 'git:'].includes(url.protocol)) return undefined;
  const isHttp = url.protocol.startsWith('http');
  return tidy((isHttp ? url.host : url.hostname).toLowerCase(), url.pathname);
}

/** Whether two texts are addresses of one repository. A text that begins with a slash is the path alone, on the other's host. */
export function isSameRepository(a: string, b: string): boolean {
  const [first, second] = [addressOf(a), addressOf(b)];
  if (first === undefined) return false;
  if (b.startsWith('/')) return first.path === tidy(first.host, b).path;
  return second !== undefined && first.host === second.host && first.path === second.path;
}

/** As it may be shown and asked: without a fragment and without anybody's password. */
export function plainUrl(text: string): string {
  const plain = text.replace(/#.*$/s, '').trim();
  if (!URL.canParse(plain)) return plain;
  const url = new URL(plain);
  url.username = '';
  url.password = '';
  return url.href.replace(/\/$/, '');
}

/** `#branch:folder` behind an address. */
export function branchOf(text: string | undefined): string | undefined {
  const [, branch] = /#([^:]+)/.exec(text ?? '') ?? [];
  return branch;
}

function tidy(host: string, path: string): RepositoryAddress {
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // Then it is no address that a forge writes, and equal to itself alone.
  }
  const plain = decoded
    .replaceAll(/^\/+|\/+$/g, '')
    .replace(/\.git$/i, '')
    .toLowerCase();
  return azureForm(host, plain) ?? { host, path: plain };
}

/** Azure Repos has two hosts, a short form where project and repository have one name, and another path for ssh. */
function azureForm(host: string, path: string): RepositoryAddress | undefined {
  const [organization] = /^[^.]+(?=\.visualstudio\.com$)/.exec(host) ?? [];
  if (organization !== undefined)
    return azureForm('dev.azure.com', `${organization}/${path.replace(/^defaultcollection\//, '')}`);
  const isSsh = host === 'ssh.dev.azure.com' || host === 'vs-ssh.visualstudio.com';
  const [, owner, project, repository] =
    (isSsh ? /^v3\/([^/]+)\/([^/]+)\/([^/]+)$/ : /^([^/]+)\/(?:([^/]+)\/)?_git\/([^/]+)$/).exec(path) ?? [];
  if ((!isSsh && host !== 'dev.azure.com') || owner === undefined || repository === undefined) return undefined;
  return { host: 'dev.azure.com', path: `${owner}/${project ?? repository}/_git/${repository}` };
}

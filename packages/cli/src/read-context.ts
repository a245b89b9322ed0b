import type { RunSource } from '@berth/api';
import { CommandError } from './command-error.ts';

/** Where the files of a run come from, as the command line names it. */
export type Context =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'remote'; readonly source: RunSource }
  | { readonly kind: 'none' };

/** A folder, `https://….git#ref:folder`, the address of an archive, `oci://…`, or `/dev/null` (acr-tasks 3). @throws CommandError */
export function readContext(text: string, gitToken: string | undefined): Context {
  if (text === '/dev/null') return { kind: 'none' };
  if (text.startsWith('oci://')) return { kind: 'remote', source: { kind: 'oci', reference: text.slice('oci://'.length) } };
  if (isGit(text)) return { kind: 'remote', source: gitSource(text, gitToken) };
  if (/^https?:\/\//i.test(text)) return { kind: 'remote', source: { kind: 'archive', url: text } };
  return { kind: 'folder', path: text };
}

function isGit(text: string): boolean {
  const [address = ''] = text.split('#', 1);
  if (/^(?:git|ssh):\/\//i.test(address) || /^git@[^/]+:/.test(address)) return true;
  if (!/^https?:\/\//i.test(address)) return false;
  const isAzureRepos = /^https:\/\/(?:[^/@]+@)?(?:dev\.azure\.com|[^/]+\.visualstudio\.com)\/.*\/_git\//i.test(address);
  return isAzureRepos || /\.git\/?$/.test(address) || /^https:\/\/github\.com\/[^/]+\/[^/]+\/?$/i.test(address);
}

function gitSource(text: string, gitToken: string | undefined): RunSource {
  const [address = '', ...rest] = text.split('#');
  const [ref = '', ...folders] = rest.join('#').split(':');
  const folder = folders.join(':');
  const { url, token = gitToken } = withoutToken(address);
  return {
    kind: 'git',
    url,
    ...(ref !== '' && { ref }),
    ...(folder !== '' && { folder }),
    ...(token !== undefined && { token }),
  };
}

/** What stands before the host is a secret, and travels apart from the address, which is shown. */
function withoutToken(address: string): { readonly url: string; readonly token?: string } {
  if (!/^https?:\/\//i.test(address)) return { url: address };
  if (!URL.canParse(address))
    throw new CommandError('the context is no address', 'write it as https://host/repository.git#ref:folder');
  const url = new URL(address);
  const token = decodeURIComponent(url.password === '' ? url.username : url.password);
  if (token === '') return { url: address };
  [url.username, url.password] = ['', ''];
  return { url: url.href, token };
}

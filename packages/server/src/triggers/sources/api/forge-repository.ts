import type { SourceTrigger } from '../../../tasks/index.ts';
import type { ForgeName } from '../model.ts';
import { addressOf, plainUrl } from '../repository-address.ts';

/** A repository as the API of its forge names it. */
export interface ForgeRepository {
  readonly forge: Exclude<ForgeName, 'generic'>;
  /** The repository's address in the API, without a slash at its end. */
  readonly api: string;
  /** Bitbucket alone has two APIs. */
  readonly isCloud: boolean;
}

const types: Readonly<Record<string, ForgeName>> = {
  github: 'github',
  gitlab: 'gitlab',
  gitea: 'gitea',
  bitbucket: 'bitbucket',
  git: 'generic',
};

const hosts: Readonly<Record<string, ForgeName>> = {
  'github.com': 'github',
  'gitlab.com': 'gitlab',
  'codeberg.org': 'gitea',
  'gitea.com': 'gitea',
  'bitbucket.org': 'bitbucket',
  'dev.azure.com': 'azure',
};

/**
 * Which API speaks for the repository of a trigger. `heardOf`: who sent its last hook; `az` calls everything that is not at github.com
 * `VisualStudioTeamService`. Undefined: none that is known.
 */
export function forgeRepositoryOf(
  { sourceRepository }: SourceTrigger,
  heardOf: ForgeName | undefined,
): ForgeRepository | undefined {
  const { sourceControlType, repositoryUrl } = sourceRepository;
  const address = addressOf(repositoryUrl);
  const plain = plainUrl(repositoryUrl);
  if (address === undefined || !URL.canParse(plain)) return undefined;
  const url = new URL(plain);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  const forge =
    types[sourceControlType.toLowerCase()] ?? (url.pathname.includes('/_git/') ? 'azure' : (hosts[address.host] ?? heardOf));
  // With the letters as they are: some forges tell them apart.
  const path = url.pathname.replaceAll(/^\/+|\/+$/g, '').replace(/\.git$/i, '');
  switch (forge) {
    case 'github':
      return { forge, isCloud: true, api: `${githubApi(url)}/repos/${path}` };
    case 'gitlab':
      return { forge, isCloud: true, api: `${url.origin}/api/v4/projects/${encodeURIComponent(decodeURIComponent(path))}` };
    case 'gitea':
      return { forge, isCloud: true, api: `${url.origin}/api/v1/repos/${path}` };
    case 'bitbucket':
      return bitbucketRepository(url, path);
    case 'azure':
      return azureRepository(url, path);
    case 'generic':
    case undefined:
      return undefined;
  }
}

function githubApi(url: URL): string {
  return url.hostname === 'github.com' ? 'https://api.github.com' : `${url.origin}/api/v3`;
}

function bitbucketRepository(url: URL, path: string): ForgeRepository | undefined {
  if (url.hostname === 'bitbucket.org')
    return { forge: 'bitbucket', isCloud: true, api: `https://api.bitbucket.org/2.0/repositories/${path}` };
  const [, project, repository] = /^(?:scm\/)?([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (project === undefined || repository === undefined) return undefined;
  return { forge: 'bitbucket', isCloud: false, api: `${url.origin}/rest/api/latest/projects/${project}/repos/${repository}` };
}

/** `…/organization/[project/]_git/repository`; the organization is the host's at visualstudio.com. */
function azureRepository(url: URL, path: string): ForgeRepository | undefined {
  const [, before = '', repository] = /^(.*?)\/?_git\/([^/]+)$/.exec(path) ?? [];
  if (repository === undefined) return undefined;
  const isShort = before.split('/').length < (url.hostname.endsWith('.visualstudio.com') ? 1 : 2) || before === '';
  const project = isShort ? [before, repository].filter((part) => part !== '').join('/') : before;
  return { forge: 'azure', isCloud: true, api: `${url.origin}/${project}/_apis/git/repositories/${repository}` };
}

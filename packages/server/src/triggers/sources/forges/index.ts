import type { HookRequest } from '../model.ts';
import { azureRepos } from './azure-repos.ts';
import { bitbucket } from './bitbucket.ts';
import type { ForgeHooks } from './forge.ts';
import { generic } from './generic.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';

/** In the order in which they are asked: some send the headers of others, too. */
const forges: readonly ForgeHooks[] = [gitea, gitlab, bitbucket, github, azureRepos, generic];

/** Who a request says that it comes from. */
export function forgeOf(request: HookRequest): ForgeHooks {
  return forges.find((forge) => forge.recognises(request)) ?? generic;
}

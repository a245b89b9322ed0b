import { ListRefsError, listRefs } from './list-refs.ts';
import type { SourceEvent } from './model.ts';
import { addressOf, plainUrl } from './repository-address.ts';
import { type SourcesContext, type Watch, tokenOf } from './sources-context.ts';

/** The whole of a commit's id, or why it cannot be had. */
export type FullCommit = { readonly commit: string } | { readonly problem: string };

/**
 * Bitbucket Cloud names the first twelve digits of a pull request's head; agents check out nothing but whole ids, which the branch tells.
 * A fork is asked only at the host of the repository, for which the token is.
 */
export async function fullCommit(context: SourcesContext, watch: Watch, event: SourceEvent): Promise<FullCommit> {
  const { repositoryUrl } = watch.trigger.sourceRepository;
  const commit = event.commit ?? '';
  const url = event.kind === 'pullRequest' ? (event.url ?? repositoryUrl) : repositoryUrl;
  if (addressOf(url)?.host !== addressOf(repositoryUrl)?.host) return { problem: 'it comes from another host' };
  if (commit.length >= 40) return { commit };
  const ref = `refs/heads/${event.kind === 'pullRequest' ? event.sourceBranch : event.name}`;
  try {
    const { refs } = await listRefs(context.outbound, {
      url: plainUrl(url),
      token: tokenOf(context, watch),
      signal: context.signal,
    });
    const found = refs.find((candidate) => candidate.ref === ref)?.commit;
    if (found?.startsWith(commit) === true) return { commit: found };
    return { problem: `its branch is at another commit already than ${commit}, which the hook names in short` };
  } catch (error) {
    if (!(error instanceof ListRefsError)) throw error;
    return { problem: `the hook names ${commit} in short, and its branch cannot be looked at: ${error.message}` };
  }
}

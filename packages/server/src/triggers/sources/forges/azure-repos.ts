import { isPassword } from '../authenticity.ts';
import type { Json } from '../json.ts';
import { type HookContent, type SourceEvent, commitIn, refParts } from '../model.ts';
import type { ForgeHooks } from './forge.ts';
import { isZero } from './github.ts';

/** Service hooks of Azure DevOps. They are not signed: the secret is the password of their Basic authentication. */
export const azureRepos: ForgeHooks = {
  name: 'azure',
  recognises: ({ headers }) => headers['authorization'] !== undefined,
  isAuthentic: ({ headers }, secret) => isPassword(headers['authorization'], secret),
  delivery: (_, payload) => {
    const [subscription, number] = [payload.at('subscriptionId').text(), payload.at('notificationId').number()];
    return subscription === undefined || number === undefined ? payload.at('id').text() : `${subscription}:${number}`;
  },
  isIdSigned: () => true,
  read: (_, payload) => {
    const event = payload.at('eventType').text() ?? '';
    const about = { ...aboutRepository(payload.at('resource', 'repository')), sentAt: payload.at('createdDate').time() };
    if (event === 'git.push') return { ...about, events: readPush(payload.at('resource')) };
    if (event === 'git.pullrequest.created' || event === 'git.pullrequest.updated')
      return { ...about, ...readPullRequest(payload.at('resource')) };
    return { ...about, events: [], reason: `${event || 'it'} says nothing of commits` };
  },
};

function aboutRepository(repository: Json): Pick<HookContent, 'repositoryUrls' | 'defaultBranch'> {
  return {
    repositoryUrls: ['remoteUrl', 'webUrl', 'sshUrl'].flatMap((name) => repository.at(name).text() ?? []),
    defaultBranch: refParts(repository.at('defaultBranch').text())?.name,
  };
}

function readPush(resource: Json): readonly SourceEvent[] {
  const commits = resource.at('commits');
  return resource
    .at('refUpdates')
    .items()
    .flatMap((update): readonly SourceEvent[] => {
      const parts = refParts(update.at('name').text());
      if (parts === undefined) return [];
      const commit = commitIn(update.at('newObjectId').text());
      const head = commits.items().find((entry) => entry.at('commitId').text() === commit);
      return [
        {
          kind: 'push',
          ...parts,
          commit: commit ?? null,
          isCreated: isZero(update.at('oldObjectId').text()),
          // A push without commits leaves the list out.
          commitCount: commits.items().length,
          changedFiles: undefined,
          message: head?.at('comment').text(),
        },
      ];
    });
}

/** Updates are also of votes, titles and states: those bring no commit that was not seen. */
function readPullRequest(request: Json): Pick<HookContent, 'events' | 'reason'> {
  if (request.at('status').text() !== 'active') return { events: [], reason: 'the pull request is not open' };
  const number = request.at('pullRequestId').number();
  const commit = commitIn(request.at('lastMergeSourceCommit', 'commitId').text());
  const [target, source] = [refParts(request.at('targetRefName').text()), refParts(request.at('sourceRefName').text())];
  if (number === undefined || commit === undefined || target === undefined || source === undefined)
    return { events: [], reason: 'the pull request does not say what it is about' };
  const isFork = request.at('forkSource').isThere;
  const event: SourceEvent = {
    kind: 'pullRequest',
    number: String(number),
    targetBranch: target.name,
    sourceBranch: source.name,
    commit,
    isFork,
    // The branch of a fork is in another repository; what it would merge to is in this one.
    ref: isFork ? `pull/${number}/merge` : source.name,
  };
  return { events: [event] };
}

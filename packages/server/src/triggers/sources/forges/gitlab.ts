import { isSame, isSignedStandard } from '../authenticity.ts';
import type { Json } from '../json.ts';
import { type HookContent, type SourceEvent, commitIn, isRefName, refParts } from '../model.ts';
import type { ForgeHooks } from './forge.ts';
import { isZero } from './github.ts';
import { changedFilesOf } from './push-files.ts';

/** GitLab lists no more commits of a push. */
const maxCommits = 20;

export const gitlab: ForgeHooks = {
  name: 'gitlab',
  recognises: ({ headers }) => headers['x-gitlab-event'] !== undefined,
  // The token alone shows that GitLab knows it; a signature also that nothing was changed. Whoever signs is held to it.
  isAuthentic: (request, secret, now) =>
    request.headers['webhook-signature'] === undefined
      ? isSame(request.headers['x-gitlab-token'] ?? '', secret)
      : isSignedStandard(request, secret, now),
  delivery: ({ headers }) => headers['webhook-id'] ?? headers['x-gitlab-event-uuid'] ?? headers['idempotency-key'],
  // A token that is sent along can be seen by who sees a hook: it protects nothing more than the id does.
  isIdSigned: () => true,
  read: (_, payload) => {
    const kind = payload.at('object_kind').text();
    if (kind === 'push' || kind === 'tag_push') return { ...about(payload), ...readPush(payload) };
    if (kind === 'merge_request') return { ...about(payload), ...readMergeRequest(payload) };
    return { ...about(payload), events: [], reason: `${kind ?? 'it'} says nothing of commits` };
  },
};

function about(payload: Json): Pick<HookContent, 'repositoryUrls' | 'defaultBranch'> {
  const project = payload.at('project');
  return {
    repositoryUrls: ['git_http_url', 'web_url', 'git_ssh_url'].flatMap((name) => project.at(name).text() ?? []),
    defaultBranch: project.at('default_branch').text(),
  };
}

function readPush(payload: Json): Pick<HookContent, 'events' | 'reason'> {
  const parts = refParts(payload.at('ref').text());
  if (parts === undefined) return { events: [], reason: 'the push is of neither a branch nor a tag' };
  const commits = payload.at('commits');
  const total = payload.at('total_commits_count').number();
  const after = payload.at('after').text();
  // Of an annotated tag `after` is the tag itself.
  const commit = commitIn(payload.at('checkout_sha').text()) ?? commitIn(after);
  const head = commits.items().find((entry) => entry.at('id').text() === commit);
  const event: SourceEvent = {
    kind: 'push',
    ...parts,
    commit: isZero(after) ? null : (commit ?? null),
    isCreated: isZero(payload.at('before').text()),
    commitCount: total,
    changedFiles: changedFilesOf(commits, total, maxCommits + 1),
    message: head?.at('message').text(),
  };
  return { events: [event] };
}

function readMergeRequest(payload: Json): Pick<HookContent, 'events' | 'reason' | 'sentAt'> {
  const request = payload.at('object_attributes');
  const action = request.at('action').text() ?? '';
  // An update without an older revision is of labels, titles and people.
  const isNews = action === 'open' || action === 'reopen' || (action === 'update' && request.at('oldrev').isThere);
  if (!isNews) return { events: [], reason: `"${action}" of a merge request brings no commits` };
  const number = request.at('iid').number();
  const commit = commitIn(request.at('last_commit', 'id').text());
  const [targetBranch = '', sourceBranch = ''] = [request.at('target_branch').text(), request.at('source_branch').text()];
  if (number === undefined || commit === undefined || !isRefName(targetBranch) || !isRefName(sourceBranch))
    return { events: [], reason: 'the merge request does not say what it is about' };
  const [target, source] = [request.at('target_project_id').number(), request.at('source_project_id').number()];
  const event: SourceEvent = {
    kind: 'pullRequest',
    number: String(number),
    targetBranch,
    sourceBranch,
    commit,
    isFork: target === undefined || target !== source,
    ref: `merge-requests/${number}/head`,
    message: request.at('last_commit', 'message').text(),
  };
  return { events: [event] };
}

import { isSignedHex } from '../authenticity.ts';
import type { Json } from '../json.ts';
import { type HookContent, type SourceEvent, commitIn, isRefName, refParts } from '../model.ts';
import type { ForgeHooks } from './forge.ts';
import { changedFilesOf } from './push-files.ts';

/** GitHub, and GitHub Enterprise Server. */
export const github: ForgeHooks = {
  name: 'github',
  recognises: ({ headers }) => headers['x-github-event'] !== undefined,
  isAuthentic: ({ headers, body }, secret) => isSignedHex(body, secret, headers['x-hub-signature-256']),
  delivery: ({ headers }) => headers['x-github-delivery'],
  isIdSigned: () => false,
  read: ({ headers }, payload) => {
    const event = headers['x-github-event'];
    if (event === 'push')
      return { ...about(payload), ...readPush(payload, 2048), sentAt: payload.at('repository', 'pushed_at').time() };
    if (event === 'pull_request')
      return { ...about(payload), ...readPullRequest(payload, ['opened', 'synchronize', 'reopened']) };
    return { ...about(payload), events: [], reason: `${event} says nothing of commits` };
  },
};

function about(payload: Json): Pick<HookContent, 'repositoryUrls' | 'defaultBranch'> {
  const repository = payload.at('repository');
  return {
    repositoryUrls: ['clone_url', 'html_url', 'ssh_url', 'git_url'].flatMap((name) => repository.at(name).text() ?? []),
    defaultBranch: repository.at('default_branch').text(),
  };
}

/** Gitea's push has the same fields. `maxCommits`: a longer list is cut off there. */
export function readPush(payload: Json, maxCommits: number): Pick<HookContent, 'events' | 'reason'> {
  const parts = refParts(payload.at('ref').text());
  if (parts === undefined) return { events: [], reason: 'the push is of neither a branch nor a tag' };
  const commits = payload.at('commits');
  const head = payload.at('head_commit');
  const total = payload.at('total_commits').number();
  const after = commitIn(payload.at('after').text());
  // `after` of an annotated tag is the tag itself. Never an entry of the list: it ends with other commits, too (acr#152).
  const target = parts.refKind === 'tag' ? (commitIn(head.at('id').text()) ?? after) : after;
  const event: SourceEvent = {
    kind: 'push',
    ...parts,
    commit: payload.at('deleted').isTrue() ? null : (target ?? null),
    isCreated: payload.at('created').isTrue() || isZero(payload.at('before').text()),
    commitCount: total ?? (commits.isList ? commits.items().length : undefined),
    changedFiles: changedFilesOf(commits, total, maxCommits),
    message: head.at('message').text(),
  };
  return { events: [event] };
}

/** Gitea's pull request has the same fields. */
export function readPullRequest(payload: Json, actions: readonly string[]): Pick<HookContent, 'events' | 'reason' | 'sentAt'> {
  const action = payload.at('action').text() ?? '';
  const request = payload.at('pull_request');
  const number = request.at('number').number() ?? payload.at('number').number();
  if (!actions.includes(action)) return { events: [], reason: `"${action}" of a pull request brings no commits` };
  const commit = commitIn(request.at('head', 'sha').text());
  const [targetBranch, sourceBranch] = [request.at('base', 'ref').text(), request.at('head', 'ref').text()];
  if (number === undefined || commit === undefined || !isName(targetBranch) || !isName(sourceBranch))
    return { events: [], reason: 'the pull request does not say what it is about' };
  const [base, head] = [request.at('base', 'repo', 'id').number(), request.at('head', 'repo', 'id').number()];
  // The repository of a fork may be gone.
  const isFork = base === undefined || base !== head;
  const event: SourceEvent = {
    kind: 'pullRequest',
    number: String(number),
    targetBranch,
    sourceBranch,
    commit,
    isFork,
    ref: `pull/${number}/head`,
  };
  return { events: [event], sentAt: request.at('updated_at').time() };
}

function isName(name: string | undefined): name is string {
  return name !== undefined && isRefName(name);
}

export function isZero(commit: string | undefined): boolean {
  return commit !== undefined && /^0{7,}$/.test(commit);
}

import { isSignedHex } from '../authenticity.ts';
import type { Json } from '../json.ts';
import { type HookContent, type SourceEvent, commitIn, isRefName, refParts } from '../model.ts';
import type { ForgeHooks } from './forge.ts';

/** Bitbucket Cloud and Bitbucket Data Center. Neither names the files that a push changed. */
export const bitbucket: ForgeHooks = {
  name: 'bitbucket',
  recognises: ({ headers }) => headers['x-event-key'] !== undefined,
  isAuthentic: ({ headers, body }, secret) => isSignedHex(body, secret, headers['x-hub-signature']),
  delivery: ({ headers }) => headers['x-request-uuid'] ?? headers['x-request-id'],
  isIdSigned: () => false,
  read: ({ headers }, payload) => {
    const event = headers['x-event-key'] ?? '';
    switch (event) {
      case 'repo:push':
        return {
          repositoryUrls: urlsOf(payload.at('repository')),
          events: payload.at('push', 'changes').items().flatMap(readChange),
        };
      case 'pullrequest:created':
      case 'pullrequest:updated':
        return { repositoryUrls: urlsOf(payload.at('repository')), ...readCloudRequest(payload) };
      case 'repo:refs_changed':
        return {
          repositoryUrls: urlsOf(payload.at('repository')),
          sentAt: payload.at('date').time(),
          events: payload.at('changes').items().flatMap(readServerChange),
        };
      case 'pr:opened':
      case 'pr:reopened':
      case 'pr:from_ref_updated':
        return readServerRequest(payload);
      default:
        return { repositoryUrls: urlsOf(payload.at('repository')), events: [], reason: `${event} says nothing of commits` };
    }
  },
};

/** `links.clone` is in answers of the API and in hooks of Data Center; hooks of the Cloud have the page alone. */
function urlsOf(repository: Json): readonly string[] {
  const clones = repository
    .at('links', 'clone')
    .items()
    .flatMap((link) => link.at('href').text() ?? []);
  const page = repository.at('links', 'html', 'href').text();
  return page === undefined ? clones : [...clones, page];
}

function readChange(change: Json): readonly SourceEvent[] {
  const isClosed = change.at('closed').isTrue() || !change.at('new').isThere;
  const side = change.at(isClosed ? 'old' : 'new');
  const isTag = side.at('type').text() === 'tag';
  const parts = refParts(`refs/${isTag ? 'tags' : 'heads'}/${side.at('name').text() ?? ''}`);
  if (parts === undefined) return [];
  const commits = change.at('commits');
  return [
    {
      kind: 'push',
      ...parts,
      commit: isClosed ? null : (commitIn(side.at('target', 'hash').text()) ?? null),
      isCreated: change.at('created').isTrue(),
      commitCount: commits.isList ? commits.items().length : undefined,
      changedFiles: undefined,
      message: side.at('target', 'message').text(),
    },
  ];
}

function readCloudRequest(payload: Json): Pick<HookContent, 'events' | 'reason' | 'sentAt'> {
  const request = payload.at('pullrequest');
  const [number, commit] = [request.at('id').number(), commitIn(request.at('source', 'commit', 'hash').text())];
  const [targetBranch = '', sourceBranch = ''] = ['destination', 'source'].map((end) => request.at(end, 'branch', 'name').text());
  if (number === undefined || commit === undefined || !isRefName(targetBranch) || !isRefName(sourceBranch))
    return { events: [], reason: 'the pull request does not say what it is about' };
  const [target, source] = ['destination', 'source'].map((end) => request.at(end, 'repository', 'full_name').text());
  const isFork = target === undefined || target !== source;
  const page = request.at('source', 'repository', 'links', 'html', 'href').text();
  if (isFork && page === undefined) return { events: [], reason: 'the fork of the pull request is gone' };
  const event: SourceEvent = {
    kind: 'pullRequest',
    number: String(number),
    targetBranch,
    sourceBranch,
    commit,
    isFork,
    ref: sourceBranch,
    ...(isFork && page !== undefined && { url: page }),
  };
  return { events: [event], sentAt: request.at('updated_on').time() };
}

function readServerChange(change: Json): readonly SourceEvent[] {
  const parts = refParts(change.at('ref', 'id').text() ?? change.at('refId').text());
  if (parts === undefined) return [];
  const commit = commitIn(change.at('toHash').text());
  return [
    {
      kind: 'push',
      ...parts,
      commit: change.at('type').text() === 'DELETE' ? null : (commit ?? null),
      isCreated: change.at('type').text() === 'ADD',
      commitCount: undefined,
      changedFiles: undefined,
    },
  ];
}

function readServerRequest(payload: Json): HookContent {
  const request = payload.at('pullRequest');
  const [from, to] = [request.at('fromRef'), request.at('toRef')];
  const about = { repositoryUrls: urlsOf(to.at('repository')), sentAt: payload.at('date').time() };
  const [number, commit] = [request.at('id').number(), commitIn(from.at('latestCommit').text())];
  const [target, source] = [refParts(to.at('id').text()), refParts(from.at('id').text())];
  if (number === undefined || commit === undefined || target === undefined || source === undefined)
    return { ...about, events: [], reason: 'the pull request does not say what it is about' };
  const [base, head] = [to.at('repository', 'id').number(), from.at('repository', 'id').number()];
  const isFork = base === undefined || base !== head;
  const url = urlsOf(from.at('repository')).find((address) => address.startsWith('http'));
  if (isFork && url === undefined) return { ...about, events: [], reason: 'the fork of the pull request has no address' };
  const event: SourceEvent = {
    kind: 'pullRequest',
    number: String(number),
    targetBranch: target.name,
    sourceBranch: source.name,
    commit,
    isFork,
    ref: source.name,
    ...(isFork && url !== undefined && { url }),
  };
  return { ...about, events: [event] };
}

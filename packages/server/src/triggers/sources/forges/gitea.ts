import { isSignedHex } from '../authenticity.ts';
import type { ForgeHooks } from './forge.ts';
import { readPullRequest, readPush } from './github.ts';

const requestEvents = new Set(['pull_request', 'pull_request_sync']);

/** Gitea, Forgejo and Gogs, which also send the headers of one another and of GitHub: they go before it. */
export const gitea: ForgeHooks = {
  name: 'gitea',
  recognises: ({ headers }) => eventOf(headers) !== undefined,
  isAuthentic: ({ headers, body }, secret) =>
    isSignedHex(body, secret, headers['x-gitea-signature'] ?? headers['x-forgejo-signature'] ?? headers['x-gogs-signature']),
  delivery: ({ headers }) => headers['x-gitea-delivery'] ?? headers['x-forgejo-delivery'] ?? headers['x-gogs-delivery'],
  isIdSigned: () => false,
  read: ({ headers }, payload) => {
    const repository = payload.at('repository');
    const about = {
      repositoryUrls: ['clone_url', 'html_url', 'ssh_url'].flatMap((name) => repository.at(name).text() ?? []),
      defaultBranch: repository.at('default_branch').text(),
    };
    const event = eventOf(headers) ?? '';
    if (event === 'push') return { ...about, ...readPush(payload, Number.POSITIVE_INFINITY) };
    if (requestEvents.has(event))
      return { ...about, ...readPullRequest(payload, ['opened', 'synchronized', 'synchronize', 'reopened']) };
    return { ...about, events: [], reason: `${event} says nothing of commits` };
  },
};

function eventOf(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  return headers['x-gitea-event'] ?? headers['x-forgejo-event'] ?? headers['x-gogs-event'];
}

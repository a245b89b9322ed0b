import { createHash } from 'node:crypto';
import type { ForgeCall } from './forge-client.ts';
import type { ForgeRepository } from './forge-repository.ts';

/** What became of a commit, to be shown beside it at the forge. */
export interface CommitStatus {
  readonly commit: string;
  readonly state: 'pending' | 'success' | 'failure' | 'error' | 'canceled';
  /** `berth/<task>`. */
  readonly context: string;
  readonly description: string;
  readonly targetUrl: string | undefined;
}

/** Forges cut or refuse longer texts. */
const maxDescription = 140;

const needs: Readonly<Record<ForgeRepository['forge'], string>> = {
  github: 'write commit statuses (classic: repo:status; fine-grained: Commit statuses, read and write)',
  gitlab: 'use the API (scope api) in the role Developer',
  gitea: 'write to the repository (scope write:repository)',
  bitbucket: 'write to the repository (Cloud: repository:write; Data Center: repository read)',
  azure: 'write statuses (Code: status)',
};

/** How a forge is told the status of a commit. */
export function statusCallOf({ forge, api, isCloud }: ForgeRepository, status: CommitStatus): ForgeCall {
  const { commit, context, targetUrl } = status;
  const description = status.description.slice(0, maxDescription);
  const common = { method: 'POST', what: 'keep a commit status', needs: needs[forge] } as const;
  switch (forge) {
    case 'github':
    case 'gitea': {
      const state = status.state === 'canceled' ? 'error' : status.state;
      return {
        ...common,
        url: `${api}/statuses/${commit}`,
        body: { state, context, description, ...(targetUrl && { target_url: targetUrl }) },
      };
    }
    case 'gitlab': {
      const state = { pending: 'pending', success: 'success', failure: 'failed', error: 'failed', canceled: 'canceled' }[
        status.state
      ];
      return {
        ...common,
        url: `${api}/statuses/${commit}`,
        body: { state, name: context, description, ...(targetUrl && { target_url: targetUrl }) },
      };
    }
    case 'bitbucket': {
      const url = isCloud ? `${api}/commit/${commit}/statuses/build` : `${api}/commits/${commit}/builds`;
      return { ...common, url, body: bitbucketBody(status, { description, api, isCloud }) };
    }
    case 'azure': {
      const state = { pending: 'pending', success: 'succeeded', failure: 'failed', error: 'error', canceled: 'error' }[
        status.state
      ];
      const [genre = '', name = ''] = context.split(/\/(.*)/s);
      return {
        ...common,
        url: `${api}/commits/${commit}/statuses?api-version=7.1`,
        body: { state, description, context: { genre, name }, ...(targetUrl && { targetUrl }) },
      };
    }
  }
}

interface BitbucketWords {
  readonly description: string;
  readonly api: string;
  readonly isCloud: boolean;
}

/** It wants an address in any case, and the Cloud takes short keys only. */
function bitbucketBody({ state, context, targetUrl }: CommitStatus, { description, api, isCloud }: BitbucketWords): object {
  const canceled = isCloud ? 'STOPPED' : 'CANCELLED';
  const word = { pending: 'INPROGRESS', success: 'SUCCESSFUL', failure: 'FAILED', error: 'FAILED', canceled }[state];
  const key = context.length <= 40 ? context : createHash('sha256').update(context).digest('hex').slice(0, 40);
  return { key, name: context, state: word, description, url: targetUrl ?? api };
}

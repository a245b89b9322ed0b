import { createHmac } from 'node:crypto';
import type { ForgeName, HookRequest } from '../model.ts';

/** Small hooks of every forge, with the fields that their documentation names. */

export const [before, head, older, tagObject] = ['1', 'c', 'd', 'e'].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
];
export const zero = '0'.repeat(40);

export interface Example {
  readonly forge: ForgeName;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: object;
}

const repository = {
  id: 1,
  full_name: 'acme/app',
  html_url: 'https://git.example/acme/app',
  clone_url: 'https://git.example/acme/app.git',
  ssh_url: 'git@git.example:acme/app.git',
  default_branch: 'main',
};
const commits = [
  { id: older, message: 'Older', added: ['docs/new.md'], removed: [], modified: [] },
  { id: head, message: 'Newer', added: [], removed: ['old.ts'], modified: ['src/app.ts'] },
];
const push = { ref: 'refs/heads/main', before, after: head, repository, commits, head_commit: commits[1] };
const request = {
  action: 'opened',
  number: 7,
  repository,
  pull_request: {
    number: 7,
    updated_at: '2026-01-01T00:00:00Z',
    base: { ref: 'main', sha: before, repo: { id: 1 } },
    head: { ref: 'topic', sha: head, repo: { id: 1 } },
  },
};
const fork = { ...request.pull_request, head: { ref: 'topic', sha: head, repo: { id: 2 } } };

const ofGithub = (event: string) => ({ 'x-github-event': event, 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' });
/** Gitea sends GitHub's and Gogs's headers, too. */
const ofGitea = (event: string) => ({
  'x-gitea-event': event,
  'x-gogs-event': event,
  'x-github-event': event,
  'x-gitea-delivery': 'f6266f16-1bf3-46a5-9ea4-602e06ead473',
});
const ofGitlab = (event: string) => ({ 'x-gitlab-event': event, 'x-gitlab-event-uuid': '13792a34-cac6-4fda-95a8-c58e00a3954e' });
const ofBitbucket = (event: string) => ({ 'x-event-key': event, 'x-request-uuid': 'a6b5b6a0-3f5d-4b9e-8f3a-6a5a0f8f7a11' });

const project = {
  id: 15,
  git_http_url: 'https://git.example/acme/app.git',
  web_url: 'https://git.example/acme/app',
  git_ssh_url: 'git@git.example:acme/app.git',
  default_branch: 'main',
};
const gitlabPush = {
  object_kind: 'push',
  ref: 'refs/heads/main',
  before,
  after: head,
  checkout_sha: head,
  project,
  commits,
  total_commits_count: 2,
};
const cloud = { full_name: 'acme/app', links: { html: { href: 'https://git.example/acme/app' } } };
const server = {
  slug: 'app',
  id: 84,
  project: { key: 'ACME' },
  links: { clone: [{ href: 'https://git.example/scm/acme/app.git', name: 'http' }] },
};
const azure = { name: 'app', defaultBranch: 'refs/heads/main', remoteUrl: 'https://dev.azure.com/acme/web/_git/app' };
const ofAzure = {
  subscriptionId: '7f2c1a3e-0000-4000-8000-1f2e3d4c5b6a',
  notificationId: 3,
  createdDate: '2026-01-01T00:00:00Z',
};

const mergeRequest = {
  object_kind: 'merge_request',
  project,
  object_attributes: {
    iid: 5,
    action: 'open',
    target_branch: 'main',
    source_branch: 'topic',
    source_project_id: 15,
    target_project_id: 15,
    last_commit: { id: head, message: 'Newer' },
  },
};
const cloudRequest = {
  repository: cloud,
  pullrequest: {
    id: 9,
    updated_on: '2026-01-01T00:00:00+00:00',
    source: { branch: { name: 'topic' }, commit: { hash: head.slice(0, 12) }, repository: cloud },
    destination: { branch: { name: 'main' }, commit: { hash: before.slice(0, 12) }, repository: cloud },
  },
};
const someoneCloud = { full_name: 'someone/app', links: { html: { href: 'https://git.example/someone/app' } } };
const serverRequest = {
  eventKey: 'pr:opened',
  date: '2026-01-01T00:00:00+0000',
  pullRequest: {
    id: 11,
    fromRef: { id: 'refs/heads/topic', latestCommit: head, repository: server },
    toRef: { id: 'refs/heads/main', latestCommit: before, repository: server },
  },
};
const someoneServer = {
  ...server,
  id: 85,
  links: { clone: [{ href: 'https://git.example/scm/~someone/app.git', name: 'http' }] },
};
const azureRequest = {
  ...ofAzure,
  eventType: 'git.pullrequest.created',
  resource: {
    repository: azure,
    pullRequestId: 13,
    status: 'active',
    sourceRefName: 'refs/heads/topic',
    targetRefName: 'refs/heads/main',
    lastMergeSourceCommit: { commitId: head },
  },
};

export const examples = {
  'github push': { forge: 'github', headers: ofGithub('push'), payload: push },
  'github deletion': {
    forge: 'github',
    headers: ofGithub('push'),
    payload: { ...push, after: zero, deleted: true, commits: [], head_commit: null },
  },
  'github creation': {
    forge: 'github',
    headers: ofGithub('push'),
    payload: { ...push, before: zero, created: true, commits: [], head_commit: commits[1] },
  },
  'github annotated tag': {
    forge: 'github',
    headers: ofGithub('push'),
    payload: { ...push, ref: 'refs/tags/v1.0', before: zero, after: tagObject, created: true, commits: [] },
  },
  'github pull request': { forge: 'github', headers: ofGithub('pull_request'), payload: request },
  'github fork': {
    forge: 'github',
    headers: ofGithub('pull_request'),
    payload: { ...request, action: 'synchronize', pull_request: fork },
  },
  'github deleted fork': {
    forge: 'github',
    headers: ofGithub('pull_request'),
    payload: { ...request, action: 'reopened', pull_request: { ...fork, head: { ...fork.head, repo: null } } },
  },
  'github label': { forge: 'github', headers: ofGithub('pull_request'), payload: { ...request, action: 'labeled' } },
  'github ping': {
    forge: 'github',
    headers: ofGithub('ping'),
    payload: { zen: 'Keep it logically awesome.', hook_id: 1, repository },
  },
  'gitea push': { forge: 'gitea', headers: ofGitea('push'), payload: { ...push, total_commits: 2 } },
  'gitea long push': { forge: 'gitea', headers: ofGitea('push'), payload: { ...push, total_commits: 40 } },
  'gitea pull request': { forge: 'gitea', headers: ofGitea('pull_request'), payload: request },
  'gitea synchronized': {
    forge: 'gitea',
    headers: ofGitea('pull_request_sync'),
    payload: { ...request, action: 'synchronized', pull_request: fork },
  },
  'gitea label': { forge: 'gitea', headers: ofGitea('pull_request_label'), payload: { ...request, action: 'label_updated' } },
  'gitlab push': {
    forge: 'gitlab',
    headers: ofGitlab('Push Hook'),
    payload: gitlabPush,
  },
  'gitlab long push': {
    forge: 'gitlab',
    headers: ofGitlab('Push Hook'),
    payload: { ...gitlabPush, total_commits_count: 25 },
  },
  'gitlab deletion': {
    forge: 'gitlab',
    headers: ofGitlab('Push Hook'),
    payload: { ...gitlabPush, after: zero, checkout_sha: null, commits: [], total_commits_count: 0 },
  },
  'gitlab tag': {
    forge: 'gitlab',
    headers: ofGitlab('Tag Push Hook'),
    payload: {
      object_kind: 'tag_push',
      ref: 'refs/tags/v1.0',
      before: zero,
      after: tagObject,
      checkout_sha: head,
      project,
      commits: [],
      total_commits_count: 0,
    },
  },
  'gitlab merge request': { forge: 'gitlab', headers: ofGitlab('Merge Request Hook'), payload: mergeRequest },
  'gitlab new commits': {
    forge: 'gitlab',
    headers: ofGitlab('Merge Request Hook'),
    payload: {
      ...mergeRequest,
      object_attributes: { ...mergeRequest.object_attributes, action: 'update', oldrev: before, source_project_id: 16 },
    },
  },
  'gitlab label': {
    forge: 'gitlab',
    headers: ofGitlab('Merge Request Hook'),
    payload: { ...mergeRequest, object_attributes: { ...mergeRequest.object_attributes, action: 'update' } },
  },
  'bitbucket push': {
    forge: 'bitbucket',
    headers: ofBitbucket('repo:push'),
    payload: {
      repository: cloud,
      push: {
        changes: [
          {
            old: { type: 'branch', name: 'main', target: { hash: before } },
            new: { type: 'branch', name: 'main', target: { hash: head, message: 'Newer' } },
            created: false,
            closed: false,
            truncated: false,
            commits: [{ hash: head, message: 'Newer' }],
          },
        ],
      },
    },
  },
  'bitbucket deletion': {
    forge: 'bitbucket',
    headers: ofBitbucket('repo:push'),
    payload: {
      repository: cloud,
      push: { changes: [{ old: { type: 'branch', name: 'main', target: { hash: before } }, new: null, closed: true }] },
    },
  },
  'bitbucket pull request': { forge: 'bitbucket', headers: ofBitbucket('pullrequest:created'), payload: cloudRequest },
  'bitbucket fork': {
    forge: 'bitbucket',
    headers: ofBitbucket('pullrequest:updated'),
    payload: {
      ...cloudRequest,
      pullrequest: { ...cloudRequest.pullrequest, source: { ...cloudRequest.pullrequest.source, repository: someoneCloud } },
    },
  },
  'bitbucket approval': { forge: 'bitbucket', headers: ofBitbucket('pullrequest:approved'), payload: cloudRequest },
  'bitbucket server push': {
    forge: 'bitbucket',
    headers: ofBitbucket('repo:refs_changed'),
    payload: {
      eventKey: 'repo:refs_changed',
      date: '2026-01-01T00:00:00+0000',
      repository: server,
      changes: [
        {
          ref: { id: 'refs/heads/main', displayId: 'main', type: 'BRANCH' },
          refId: 'refs/heads/main',
          fromHash: before,
          toHash: head,
          type: 'UPDATE',
        },
      ],
    },
  },
  'bitbucket server pull request': { forge: 'bitbucket', headers: ofBitbucket('pr:opened'), payload: serverRequest },
  'bitbucket server fork': {
    forge: 'bitbucket',
    headers: ofBitbucket('pr:from_ref_updated'),
    payload: {
      ...serverRequest,
      pullRequest: { ...serverRequest.pullRequest, fromRef: { ...serverRequest.pullRequest.fromRef, repository: someoneServer } },
    },
  },
  'azure push': {
    forge: 'azure',
    headers: {},
    payload: {
      ...ofAzure,
      eventType: 'git.push',
      resource: {
        repository: azure,
        commits: [{ commitId: head, comment: 'Newer' }],
        refUpdates: [{ name: 'refs/heads/main', oldObjectId: before, newObjectId: head }],
      },
    },
  },
  'azure deletion': {
    forge: 'azure',
    headers: {},
    payload: {
      ...ofAzure,
      eventType: 'git.push',
      resource: { repository: azure, refUpdates: [{ name: 'refs/heads/main', oldObjectId: before, newObjectId: zero }] },
    },
  },
  'azure pull request': { forge: 'azure', headers: {}, payload: azureRequest },
  'azure fork': {
    forge: 'azure',
    headers: {},
    payload: {
      ...azureRequest,
      eventType: 'git.pullrequest.updated',
      resource: { ...azureRequest.resource, forkSource: { name: 'refs/heads/topic', repository: { ...azure, name: 'fork' } } },
    },
  },
  'azure completed': {
    forge: 'azure',
    headers: {},
    payload: {
      ...azureRequest,
      eventType: 'git.pullrequest.updated',
      resource: { ...azureRequest.resource, status: 'completed' },
    },
  },
  'generic push': {
    forge: 'generic',
    headers: {},
    payload: {
      ref: 'refs/heads/main',
      commit: head,
      repository: 'https://git.example/acme/app.git',
      files: ['src/app.ts'],
      message: 'Newer',
    },
  },
  'generic nonsense': {
    forge: 'generic',
    headers: {},
    payload: { ref: '--upload-pack=sh', commit: head, repository: 'https://git.example/acme/app.git' },
  },
} as const satisfies Record<string, Example>;

export interface Signing {
  readonly secret: string;
  /** GitLab and others, by Standard Webhooks, at this time. */
  readonly standardAt?: number;
  readonly id?: string;
}

/** A hook as its forge sends it, signed as it signs. */
export function signed({ forge, headers, payload }: Example, { secret, standardAt, id = 'msg_1' }: Signing): HookRequest {
  const body = Buffer.from(JSON.stringify(payload));
  const hex = createHmac('sha256', secret).update(body).digest('hex');
  if (standardAt !== undefined) {
    const seconds = String(Math.floor(standardAt / 1000));
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64');
    return {
      body,
      headers: { ...headers, 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` },
    };
  }
  const proofs: Readonly<Record<ForgeName, Readonly<Record<string, string>>>> = {
    github: { 'x-hub-signature-256': `sha256=${hex}` },
    gitea: { 'x-gitea-signature': hex, 'x-hub-signature-256': `sha256=${hex}` },
    gitlab: { 'x-gitlab-token': secret },
    bitbucket: { 'x-hub-signature': `sha256=${hex}` },
    azure: { authorization: `Basic ${Buffer.from(`berth:${secret}`).toString('base64')}` },
    generic: { 'x-berth-signature': `sha256=${hex}` },
  };
  return { body, headers: { 'content-type': 'application/json', ...headers, ...proofs[forge] } };
}

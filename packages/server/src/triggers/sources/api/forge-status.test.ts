import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ForgeName } from '../model.ts';
import { forgeRepositoryOf } from './forge-repository.ts';
import { statusCallOf } from './forge-status.ts';

const commit = 'c'.repeat(40);

const cases: readonly (readonly [type: string, url: string, heardOf: ForgeName | undefined, address: string, state: string])[] = [
  ['Github', 'https://github.com/Acme/App.git', undefined, `https://api.github.com/repos/Acme/App/statuses/${commit}`, 'failure'],
  [
    'Github',
    'https://ghes.example/acme/app',
    undefined,
    `https://ghes.example/api/v3/repos/acme/app/statuses/${commit}`,
    'failure',
  ],
  [
    'Gitlab',
    'https://gitlab.com/group/sub/app.git',
    undefined,
    `https://gitlab.com/api/v4/projects/group%2Fsub%2Fapp/statuses/${commit}`,
    'failed',
  ],
  ['Gitea', 'https://git.example/acme/app', undefined, `https://git.example/api/v1/repos/acme/app/statuses/${commit}`, 'failure'],
  [
    'Bitbucket',
    'https://bitbucket.org/acme/app',
    undefined,
    `https://api.bitbucket.org/2.0/repositories/acme/app/commit/${commit}/statuses/build`,
    'FAILED',
  ],
  [
    'Bitbucket',
    'https://bb.example/scm/acme/app.git',
    undefined,
    `https://bb.example/rest/api/latest/projects/acme/repos/app/commits/${commit}/builds`,
    'FAILED',
  ],
  [
    'VisualStudioTeamService',
    'https://dev.azure.com/acme/web/_git/app',
    undefined,
    `https://dev.azure.com/acme/web/_apis/git/repositories/app/commits/${commit}/statuses?api-version=7.1`,
    'failed',
  ],
  [
    'VisualStudioTeamService',
    'https://dev.azure.com/acme/_git/app',
    undefined,
    `https://dev.azure.com/acme/app/_apis/git/repositories/app/commits/${commit}/statuses?api-version=7.1`,
    'failed',
  ],
  [
    'VisualStudioTeamService',
    'https://acme.visualstudio.com/_git/app',
    undefined,
    `https://acme.visualstudio.com/app/_apis/git/repositories/app/commits/${commit}/statuses?api-version=7.1`,
    'failed',
  ],
  // What `az` says of any other forge.
  [
    'VisualStudioTeamService',
    'https://git.example/acme/app',
    'gitea',
    `https://git.example/api/v1/repos/acme/app/statuses/${commit}`,
    'failure',
  ],
];

for (const [type, url, heardOf, address, state] of cases) {
  test(`a status of ${url} goes to ${new URL(address).host}`, () => {
    const trigger = {
      name: 'source',
      status: 'Enabled',
      sourceTriggerEvents: ['commit'],
      sourceRepository: { sourceControlType: type, repositoryUrl: url },
    } as const;
    const repository = forgeRepositoryOf(trigger, heardOf);
    assert.ok(repository !== undefined);
    const status = {
      commit,
      state: 'failure',
      context: 'berth/app',
      description: 'x'.repeat(1000),
      targetUrl: undefined,
    } as const;
    const call = statusCallOf(repository, status);
    assert.equal(call.url, address);
    const body = call.body as { readonly state: string; readonly description: string };
    assert.equal(body.state, state);
    assert.ok(body.description.length <= 140);
  });
}

test('no API speaks for a generic server, nor for one that nobody knows', () => {
  const of = (sourceControlType: string, repositoryUrl: string) =>
    forgeRepositoryOf(
      { name: 's', status: 'Enabled', sourceTriggerEvents: ['commit'], sourceRepository: { sourceControlType, repositoryUrl } },
      undefined,
    );
  assert.equal(of('Git', 'https://github.com/acme/app'), undefined);
  assert.equal(of('VisualStudioTeamService', 'https://git.example/acme/app'), undefined);
  assert.equal(of('Github', 'git@github.com:acme/app.git'), undefined);
});

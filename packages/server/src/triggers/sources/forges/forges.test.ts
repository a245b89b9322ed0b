import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSecret } from '../hook-secret.ts';
import { Json } from '../json.ts';
import type { HookRequest, SourceEvent } from '../model.ts';
import { forgeOf } from './index.ts';
import { type Example, examples, head, signed } from './test-payloads.ts';

const secret = newSecret();
const now = Date.UTC(2026, 0, 1);

/** What is read of each, as a line; empty: nothing that could make a task run. */
const expected: Readonly<Record<keyof typeof examples, string>> = {
  'github push': `push branch main ${head} 2 docs/new.md,old.ts,src/app.ts`,
  'github deletion': 'push branch main null 0 ?',
  'github creation': `push branch main ${head} created 0 ?`,
  'github annotated tag': `push tag v1.0 ${head} created 0 ?`,
  'github pull request': `request 7 topic>main ${head} pull/7/head`,
  'github fork': `request 7 topic>main ${head} pull/7/head fork`,
  'github deleted fork': `request 7 topic>main ${head} pull/7/head fork`,
  'github label': '',
  'github ping': '',
  'gitea push': `push branch main ${head} 2 docs/new.md,old.ts,src/app.ts`,
  'gitea long push': `push branch main ${head} 40 ?`,
  'gitea pull request': `request 7 topic>main ${head} pull/7/head`,
  'gitea synchronized': `request 7 topic>main ${head} pull/7/head fork`,
  'gitea label': '',
  'gitlab push': `push branch main ${head} 2 docs/new.md,old.ts,src/app.ts`,
  'gitlab long push': `push branch main ${head} 25 ?`,
  'gitlab deletion': 'push branch main null 0 ?',
  'gitlab tag': `push tag v1.0 ${head} created 0 ?`,
  'gitlab merge request': `request 5 topic>main ${head} merge-requests/5/head`,
  'gitlab new commits': `request 5 topic>main ${head} merge-requests/5/head fork`,
  'gitlab label': '',
  'bitbucket push': `push branch main ${head} 1 ?`,
  'bitbucket deletion': 'push branch main null ? ?',
  'bitbucket pull request': `request 9 topic>main ${head.slice(0, 12)} topic`,
  'bitbucket fork': `request 9 topic>main ${head.slice(0, 12)} topic fork https://git.example/someone/app`,
  'bitbucket approval': '',
  'bitbucket server push': `push branch main ${head} ? ?`,
  'bitbucket server pull request': `request 11 topic>main ${head} topic`,
  'bitbucket server fork': `request 11 topic>main ${head} topic fork https://git.example/scm/~someone/app.git`,
  'azure push': `push branch main ${head} 1 ?`,
  'azure deletion': 'push branch main null 0 ?',
  'azure pull request': `request 13 topic>main ${head} topic`,
  'azure fork': `request 13 topic>main ${head} pull/13/merge fork`,
  'azure completed': '',
  'generic push': `push branch main ${head} ? src/app.ts`,
  'generic nonsense': '',
};

for (const [name, example] of Object.entries<Example>(examples)) {
  const request = signed(example, { secret });
  test(`${name}: signed right it is read, and otherwise not believed`, () => {
    const forge = forgeOf(request);
    assert.equal(forge.name, example.forge);
    assert.ok(forge.isAuthentic(request, secret, now));
    const content = forge.read(request, new Json(example.payload));
    assert.equal(content.events.map(lineOf).join('; '), expected[name as keyof typeof examples]);
    assert.ok(content.events.length > 0 || content.reason !== undefined);
    assert.match(content.repositoryUrls[0] ?? '', /app/);
    for (const forged of forgeries(request))
      assert.ok(!forgeOf(forged).isAuthentic(forged, secret, now), JSON.stringify(forged.headers));
    assert.ok(!forge.isAuthentic(request, newSecret(), now), 'another secret');
  });
}

test('attack 36: a hook by Standard Webhooks counts for minutes, and for its own id and body only', () => {
  for (const name of ['gitlab push', 'generic push'] as const) {
    const request = signed(examples[name], { secret, standardAt: now });
    const forge = forgeOf(request);
    assert.ok(forge.isAuthentic(request, secret, now));
    assert.ok(forge.isAuthentic(request, secret, now + 4 * 60_000));
    assert.ok(!forge.isAuthentic(request, secret, now + 6 * 60_000), 'late');
    assert.ok(!forge.isAuthentic(request, secret, now - 6 * 60_000), 'early');
    const changed = (headers: Readonly<Record<string, string>>) => ({ ...request, headers: { ...request.headers, ...headers } });
    assert.ok(!forge.isAuthentic(changed({ 'webhook-id': 'msg_2' }), secret, now));
    assert.ok(!forge.isAuthentic(changed({ 'webhook-timestamp': '0' }), secret, now));
    // The token in clear does not make up for a signature that is wrong.
    const wrong = changed({ 'webhook-signature': 'v1,AAAA', 'x-gitlab-token': secret });
    assert.ok(!forge.isAuthentic(wrong, secret, now));
    const several = changed({ 'webhook-signature': `v1,AAAA ${request.headers['webhook-signature']}` });
    assert.ok(forge.isAuthentic(several, secret, now), 'one of several, while keys are replaced');
  }
});

/** Without proof; with an empty one; with the body changed, which only those notice that sign it. */
function* forgeries({ headers, body }: HookRequest): Generator<HookRequest> {
  const proofs = Object.keys(headers).filter((name) => /signature|token|authorization/.test(name));
  yield { body, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !proofs.includes(name))) };
  for (const value of ['', 'sha256=', 'Basic ', `sha256=${'0'.repeat(64)}`])
    yield { body, headers: { ...headers, ...Object.fromEntries(proofs.map((name) => [name, value])) } };
  if (proofs.some((name) => name.includes('signature'))) yield { headers, body: Buffer.concat([body, Buffer.from(' ')]) };
}

function lineOf(event: SourceEvent | undefined): string {
  if (event === undefined) return '';
  if (event.kind === 'push') {
    const files = event.changedFiles === undefined ? '?' : event.changedFiles.join(',');
    return `push ${event.refKind} ${event.name} ${event.commit}${event.isCreated ? ' created' : ''} ${event.commitCount ?? '?'} ${files}`;
  }
  const { number, sourceBranch, targetBranch, commit, ref, isFork, url } = event;
  return `request ${number} ${sourceBranch}>${targetBranch} ${commit} ${ref}${isFork ? ' fork' : ''}${url === undefined ? '' : ` ${url}`}`;
}

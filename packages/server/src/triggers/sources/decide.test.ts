import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Question, decide } from './decide.ts';
import type { PullRequestEvent, PushEvent } from './model.ts';

const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];

const push: PushEvent = {
  kind: 'push',
  refKind: 'branch',
  name: 'main',
  commit: a,
  isCreated: false,
  commitCount: 1,
  changedFiles: ['src/app.ts'],
  message: 'Mend it',
};
const tag: PushEvent = { ...push, refKind: 'tag', name: 'v1.2.0' };
const request: PullRequestEvent = {
  kind: 'pullRequest',
  number: '12',
  targetBranch: 'main',
  sourceBranch: 'topic',
  commit: a,
  isFork: false,
  ref: 'pull/12/head',
};
const question: Question = {
  event: push,
  isEnabled: true,
  events: ['commit', 'pullrequest'],
  branch: 'main',
  tags: [],
  paths: [],
  lastCommit: undefined,
};

const cases: readonly {
  readonly name: string;
  readonly given: Partial<Question>;
  readonly isFired: boolean;
  readonly reason: RegExp;
}[] = [
  { name: 'a push to the branch', given: {}, isFired: true, reason: /^the branch main moved to aaaaaaaaaaaa$/ },
  { name: 'a push to another branch', given: { event: { ...push, name: 'topic' } }, isFired: false, reason: /topic is not main/ },
  {
    name: 'a branch by a glob',
    given: { branch: 'release/*', event: { ...push, name: 'release/1' } },
    isFired: true,
    reason: /release\/1 moved/,
  },
  { name: 'a branch that nobody named', given: { branch: undefined }, isFired: true, reason: /moved/ },
  {
    name: 'an unusual branch that nobody named',
    given: { branch: undefined, event: { ...push, name: 'dev' } },
    isFired: false,
    reason: /not main or master/,
  },
  { name: 'a deletion', given: { event: { ...push, commit: null } }, isFired: false, reason: /was deleted/ },
  {
    name: 'a new branch without commits',
    given: { event: { ...push, isCreated: true, commitCount: 0 } },
    isFired: false,
    reason: /made without new commits/,
  },
  { name: 'a new branch with commits', given: { event: { ...push, isCreated: true } }, isFired: true, reason: /moved/ },
  {
    name: 'a branch that was set back',
    given: { event: { ...push, commitCount: 0, changedFiles: undefined } },
    isFired: true,
    reason: /moved/,
  },
  { name: 'the same head again', given: { lastCommit: a }, isFired: false, reason: /seen before/ },
  { name: 'another head', given: { lastCommit: b }, isFired: true, reason: /moved/ },
  { name: 'a disabled trigger', given: { isEnabled: false }, isFired: false, reason: /disabled/ },
  { name: 'pull requests only', given: { events: ['pullrequest'] }, isFired: false, reason: /does not listen to commits/ },
  { name: '[skip ci]', given: { event: { ...push, message: 'Words only [skip ci]' } }, isFired: false, reason: /\[skip ci\]/ },
  { name: '[CI skip]', given: { event: { ...push, message: '[CI skip] words' } }, isFired: false, reason: /\[CI skip\]/ },
  { name: 'a tag that nobody asked for', given: { event: tag }, isFired: false, reason: /no globs for tags/ },
  { name: 'a tag that matches', given: { event: tag, tags: ['v*'] }, isFired: true, reason: /the tag v1.2.0/ },
  { name: 'a tag that does not match', given: { event: tag, tags: ['w*'] }, isFired: false, reason: /does not match w\*/ },
  { name: 'paths do not hold up a tag', given: { event: tag, tags: ['v*'], paths: ['docs/'] }, isFired: true, reason: /tag/ },
  { name: 'a path that changed', given: { paths: ['src/**'] }, isFired: true, reason: /with changes in src/ },
  { name: 'no path that changed', given: { paths: ['docs/**'] }, isFired: false, reason: /nothing in docs\/\*\* changed/ },
  {
    name: 'paths of a cut list',
    given: { paths: ['docs/**'], event: { ...push, changedFiles: undefined } },
    isFired: true,
    reason: /not all told/,
  },
  { name: 'a pull request', given: { event: request }, isFired: true, reason: /pull request 12 for main/ },
  {
    name: 'a pull request for another branch',
    given: { event: { ...request, targetBranch: 'old' } },
    isFired: false,
    reason: /for another branch/,
  },
  { name: 'a pull request of a fork', given: { event: { ...request, isFork: true } }, isFired: true, reason: /no secrets/ },
  {
    name: 'commits only',
    given: { events: ['commit'], event: request },
    isFired: false,
    reason: /does not listen to pull requests/,
  },
];

for (const { name, given, isFired, reason } of cases) {
  test(`decides about ${name}`, () => {
    const decision = decide({ ...question, ...given });
    assert.equal(decision.isFired, isFired, decision.reason);
    assert.match(decision.reason, reason);
  });
}

test('what fired does not fire again, whoever tells of it and however it is told', () => {
  const commit = fc.constantFrom(a, b);
  const pushes = fc.record({
    kind: fc.constant('push' as const),
    refKind: fc.constantFrom('branch' as const, 'tag' as const),
    name: fc.constantFrom('main', 'v1', 'topic'),
    commit: fc.option(commit),
    isCreated: fc.boolean(),
    commitCount: fc.option(fc.nat(2), { nil: undefined }),
    changedFiles: fc.option(fc.array(fc.constantFrom('src/a', 'docs/b')), { nil: undefined }),
    message: fc.constantFrom('words', '[skip ci]'),
  });
  const requests = fc.record({
    kind: fc.constant('pullRequest' as const),
    number: fc.constantFrom('1', '2'),
    targetBranch: fc.constantFrom('main', 'topic'),
    sourceBranch: fc.constant('topic'),
    commit,
    isFork: fc.boolean(),
    ref: fc.constant('pull/1/head'),
  });
  fc.assert(
    fc.property(
      fc.oneof(pushes, requests),
      fc.record({
        tags: fc.constantFrom([], ['v*']),
        paths: fc.constantFrom([], ['src/**'], ['!docs/']),
        branch: fc.constantFrom('main', '*', undefined),
        lastCommit: fc.option(commit, { nil: undefined }),
      }),
      (event, given) => {
        const asked = { ...question, ...given, event };
        const first = decide(asked);
        assert.deepEqual(decide(asked), first, 'the same question has the same answer');
        if (!first.isSeen || event.commit === null) return;
        assert.equal(decide({ ...asked, lastCommit: event.commit }).isFired, false);
      },
    ),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type JudgedTag, type RuleHere, reasonToDelete, reasonToUntag } from './judge.ts';
import { isOlder } from './model.ts';
import { type RuleDefinition, parseRule } from './rules.ts';

const dayMs = 86_400_000;
const now = 1_000 * dayMs;

const daysAgo = (name: string, days: number, pulledDaysAgo?: number): JudgedTag => ({
  name,
  at: now - days * dayMs,
  pulledAt: pulledDaysAgo === undefined ? undefined : now - pulledDaysAgo * dayMs,
});

/** As the planner does it along the index. */
function inRepository(definition: RuleDefinition, tags: readonly JudgedTag[], name = 'rule'): RuleHere {
  const rule = parseRule(name, definition);
  const newest = tags.filter((tag) => rule.matchesTag(tag.name)).toSorted((a, b) => (isOlder(a, b) ? 1 : -1));
  const { keepLast } = definition;
  return { rule, oldestKept: keepLast === undefined || keepLast === 0 ? undefined : (newest[keepLast - 1] ?? 'all') };
}

test('a reason says what the rule would have kept', () => {
  const tags = Array.from({ length: 8 }, (_, at) => daysAgo(`v${at}`, 31 + at));
  const here = inRepository({ repositories: 'app/*', keepLast: 5, keepNewerThan: '30d' }, tags, 'old');
  assert.equal(reasonToUntag([here], daysAgo('v7', 38), now), 'older than 30d, not among the newest 5 of app/*:* (rule old)');
  assert.equal(reasonToUntag([here], daysAgo('v4', 35), now), undefined);
});

test('what one rule keeps no other takes', () => {
  const tags = [daysAgo('v1', 100), daysAgo('v2', 90), daysAgo('pr-1', 100), daysAgo('pr-2', 1)];
  const all = inRepository({ repositories: '*', keepNewerThan: '30d' }, tags, 'all');
  const releases = inRepository({ repositories: '*', tags: 'v*', keepLast: 1 }, tags, 'releases');
  const going = (rules: readonly RuleHere[]) =>
    tags.filter((tag) => reasonToUntag(rules, tag, now) !== undefined).map((tag) => tag.name);
  assert.deepEqual(going([all]), ['v1', 'v2', 'pr-1']);
  assert.deepEqual(going([releases]), ['v1']);
  assert.deepEqual(going([all, releases]), ['v1', 'pr-1']);
  assert.deepEqual(going([]), []);
});

test('what may have been pulled a moment ago is kept', () => {
  const here = inRepository({ repositories: '*', keepPulledWithin: '90d' }, []);
  assert.equal(reasonToUntag([here], daysAgo('v1', 500), now), undefined, 'nobody knows');
  assert.equal(reasonToUntag([here], daysAgo('v1', 500, 89), now), undefined);
  assert.equal(reasonToUntag([here], daysAgo('v1', 500, 90), now), 'not pulled within 90d, matches *:* (rule rule)');
});

test('an untagged manifest is as old as its last push or the loss of its last tag; the longest time of several rules counts', () => {
  const week = parseRule('week', { repositories: '*', untaggedOlderThan: '7d' });
  const month = parseRule('month', { repositories: '*', untaggedOlderThan: '30d' });
  const manifest = (updated: number, untagged: number | null) => ({
    updatedAt: now - updated * dayMs,
    untaggedAt: untagged === null ? null : now - untagged * dayMs,
    pulledAt: undefined,
  });
  assert.equal(reasonToDelete([week], manifest(100, null), now), 'without a tag for 7d or longer (rule week)');
  assert.equal(reasonToDelete([week], manifest(100, 6), now), undefined, 'its tag went six days ago');
  assert.equal(reasonToDelete([week], manifest(6, 100), now), undefined, 'it was pushed again');
  assert.equal(reasonToDelete([week, month], manifest(20, 20), now), undefined);
  assert.equal(reasonToDelete([week, month], manifest(30, 30), now), 'without a tag for 30d or longer (rule month)');
  assert.equal(reasonToDelete([parseRule('tags', { repositories: '*', keepLast: 1 })], manifest(99, 99), now), undefined);
});

const anyTag = fc
  .record({ name: fc.constantFrom('v1', 'v2', 'v3', 'pr-1', 'pr-2', 'latest'), days: fc.nat(60), pulled: fc.option(fc.nat(60)) })
  .map(({ name, days, pulled }) => daysAgo(name, days, pulled ?? undefined));
const anyTags = fc.uniqueArray(anyTag, { selector: (tag) => tag.name, maxLength: 6 });
const anyDefinition = fc
  .record(
    {
      repositories: fc.constant('*'),
      tags: fc.constantFrom('*', 'v*', 'pr-*', 'latest', '*1'),
      keepLast: fc.nat(4),
      keepNewerThan: fc.nat(60).map((days) => `${days}d`),
      keepPulledWithin: fc.nat(60).map((days) => `${days}d`),
      untaggedOlderThan: fc.constant('7d'),
    },
    { requiredKeys: ['repositories'] },
  )
  .filter((rule) => rule.keepLast !== undefined || rule.keepNewerThan !== undefined || rule.keepPulledWithin !== undefined)
  .map((rule): RuleDefinition => rule);

/** Said as plainly as possible: whether a rule alone would keep a tag. */
function keeps({ rule }: RuleHere, tags: readonly JudgedTag[], tag: JudgedTag): boolean {
  const { keepLast, keepNewerThanMs, keepPulledWithinMs, matchesTag } = rule;
  if (!rule.judgesTags || !matchesTag(tag.name)) return false;
  const newer = tags.filter((other) => matchesTag(other.name) && isOlder(tag, other)).length;
  if (keepLast !== undefined && newer < keepLast) return true;
  if (keepNewerThanMs !== undefined && now - tag.at < keepNewerThanMs) return true;
  return keepPulledWithinMs !== undefined && (tag.pulledAt === undefined || now - tag.pulledAt < keepPulledWithinMs);
}

test('property: a tag goes if and only if a rule is about it and none keeps it, in whatever order they stand', () => {
  fc.assert(
    fc.property(anyTags, fc.array(anyDefinition, { maxLength: 4 }), (tags, definitions) => {
      const rules = definitions.map((definition, at) => inRepository(definition, tags, `rule-${at}`));
      for (const tag of tags) {
        const reason = reasonToUntag(rules, tag, now);
        const isConcerned = rules.some(({ rule }) => rule.judgesTags && rule.matchesTag(tag.name));
        assert.equal(reason !== undefined, isConcerned && !rules.some((rule) => keeps(rule, tags, tag)), tag.name);
        assert.equal(reasonToUntag(rules.toReversed(), tag, now), reason);
      }
    }),
  );
});

test('property: one more rule that keeps never lets more go', () => {
  fc.assert(
    fc.property(anyTags, fc.array(anyDefinition, { maxLength: 3 }), fc.nat(6), (tags, definitions, keepLast) => {
      const rules = definitions.map((definition, at) => inRepository(definition, tags, `rule-${at}`));
      const keeper = inRepository({ repositories: '*', keepLast, keepNewerThan: '60d', tags: 'v*' }, tags, 'keeper');
      for (const tag of tags.filter((each) => each.name.startsWith('v') && now - each.at < 60 * dayMs))
        assert.equal(reasonToUntag([...rules, keeper], tag, now), undefined);
    }),
  );
});

test('a rule that does not say what stays, or is not named as one, is refused', () => {
  const refused: readonly (readonly [string, RuleDefinition, RegExp])[] = [
    ['a', { repositories: '*' }, /does not say what stays/],
    ['a', { repositories: '*', tags: 'pr-*', untaggedOlderThan: '1d' }, /does not say what stays/],
    ['a', { repositories: '', keepLast: 1 }, /is empty/],
    ['a', { repositories: '*', keepNewerThan: 'soon' }, /keepNewerThan: "soon" is no duration/],
    ['A', { repositories: '*', keepLast: 1 }, /no name of a rule/],
    ['a'.repeat(65), { repositories: '*', keepLast: 1 }, /no name of a rule/],
  ];
  for (const [name, definition, message] of refused) assert.throws(() => parseRule(name, definition), message);
});

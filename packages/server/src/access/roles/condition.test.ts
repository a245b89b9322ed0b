import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RegistryError } from '../../errors/index.ts';
import { holds } from './condition.ts';
import { parseCondition } from './parse-condition.ts';

const name = '@Request[Microsoft.ContainerRegistry/registries/repositories:name]';
const read = 'Microsoft.ContainerRegistry/registries/repositories/content/read';
const write = 'Microsoft.ContainerRegistry/registries/repositories/content/write';
const catalog = 'Microsoft.ContainerRegistry/registries/catalog/read';

const check = (source: string, repositoryName: string | undefined, action = read): boolean =>
  holds(parseCondition(source), { action, repositoryName });

test('the condition that the portal of Azure writes', () => {
  const source = `(
   (
    !(ActionMatches{'${read}'})
    AND
    !(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/metadata/read'})
   )
   OR
   (
    ${name} StringStartsWithIgnoreCase 'team/'
   )
  )`;
  assert.ok(check(source, 'team/a'));
  assert.ok(check(source, 'team/a/b'));
  for (const other of ['team', 'team2/a', 'teams/a', 'a', 'x/team/a', undefined])
    assert.equal(check(source, other), false, String(other));
  assert.ok(check(source, 'other', write), 'a condition limits the actions that it names');
  assert.ok(check(source, undefined, catalog));
});

const operators: readonly [operator: string, value: string, holding: readonly string[], failing: readonly string[]][] = [
  ['StringEquals', "'team/a'", ['team/a'], ['Team/a', 'team/a2', 'team', '']],
  ['StringEqualsIgnoreCase', "'TEAM/a'", ['team/a', 'Team/A'], ['team/a2']],
  ['StringNotEquals', "'a'", ['b', 'A', 'a2'], ['a']],
  ['StringNotEqualsIgnoreCase', "'a'", ['b'], ['a', 'A']],
  ['StringStartsWith', "'team/'", ['team/', 'team/a'], ['team', 'team2/a', 'Team/a']],
  ['StringStartsWithIgnoreCase', "'Team/'", ['team/a', 'TEAM/a'], ['team']],
  ['StringNotStartsWith', "'team/'", ['team', 'team2/a', 'Team/a'], ['team/a']],
  ['StringNotStartsWithIgnoreCase', "'Team/'", ['team2/a'], ['team/a']],
  ['StringLike', "'team/*/prod'", ['team/a/prod', 'team/a/b/prod', 'team//prod'], ['team/prod', 'team/a/prod2', 'Team/a/prod']],
  ['StringLike', "'v?-\\*'", ['v1-*'], ['v1-a', 'v-*', 'v11-*']],
  ['StringLikeIgnoreCase', "'*/PROD'", ['a/prod', '/prod'], ['prod', 'a/prod/b']],
  ['StringNotLike', "'*/prod'", ['prod', 'a/dev'], ['a/prod']],
  ['StringNotLikeIgnoreCase', "'*/PROD'", ['prod'], ['a/prod']],
  ['ForAnyOfAnyValues:StringEquals', "{'a', 'b'}", ['a', 'b'], ['c', 'A']],
  ['ForAnyOfAnyValues:StringStartsWithIgnoreCase', "{'a/','B/'}", ['a/x', 'b/x'], ['c/x']],
  ['ForAnyOfAnyValues:StringNotEquals', "{'a','b'}", ['a', 'b', 'c'], []],
  ['ForAllOfAllValues:StringNotEquals', "{'a','b'}", ['c'], ['a', 'b']],
  ['forAnyOfAllValues:stringLike', "{'a*','*b'}", ['ab', 'axb'], ['a', 'b']],
  ['ForAllOfAnyValues:StringEquals', "{'a'}", ['a'], ['b']],
];

for (const [operator, value, holding, failing] of operators)
  test(`${operator} ${value}`, () => {
    const source = `${name} ${operator} ${value}`;
    for (const text of holding) assert.ok(check(source, text), text);
    for (const text of failing) assert.equal(check(source, text), false, text);
    assert.equal(check(source, undefined), false, 'nothing is said of a name that is not there');
    assert.equal(check(`!(${source})`, undefined), false, 'nor by its contrary');
  });

test('words and signs join alike, in any case, AND before OR', () => {
  const [yes, no] = [`ActionMatches{'*'}`, `ActionMatches{'none'}`];
  for (const [source, expected] of [
    [`${yes} OR ${no} AND ${no}`, true],
    [`(${yes} || ${no}) && ${no}`, false],
    [`NOT ${no} and ${yes}`, true],
    [`!!${yes}`, true],
    [`not not not ${yes}`, false],
    [`${no} or ${no} OR ${yes}`, true],
    [`  ( ( ${yes} ) )  `, true],
    [`actionmatches{'${read.toUpperCase()}'}`, true],
  ] as const)
    assert.equal(check(source, undefined), expected, source);
});

test('what is not known decides nothing unless the rest decides', () => {
  const unknown = `${name} StringEquals 'a'`;
  const [yes, no] = [`ActionMatches{'*'}`, `ActionMatches{'none'}`];
  assert.ok(check(`${unknown} OR ${yes}`, undefined));
  assert.equal(check(`${unknown} OR ${no}`, undefined), false);
  assert.equal(check(`${unknown} AND ${yes}`, undefined), false);
  assert.ok(check(`!(${unknown} AND ${no})`, undefined));
});

const refused: readonly [source: string, position: number, said: RegExp][] = [
  ['', 1, /nothing more/],
  ['   ', 4, /nothing more/],
  ["ActionMatches{'a'", 18, /"}" is missing/],
  ["ActionMatches 'a'", 15, /"\{" is missing/],
  ["(ActionMatches{'a'}", 20, /"\)" is missing/],
  ["ActionMatches{'a'})", 19, /AND, OR or the end/],
  ["ActionMatches{'a'} ActionMatches{'b'}", 20, /AND, OR or the end/],
  ["ActionMatches{'a'} AND", 23, /nothing more/],
  ["ActionMatches{''}", 15, /the name of an action/],
  ["SubOperationMatches{'a'}", 1, /SubOperationMatches/],
  ["@Resource[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals 'a'", 1, /@Resource\[.*is not supported/],
  ["@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:a] StringEquals 'a'", 1, /not supported/],
  ["@Request[Microsoft.ContainerRegistry/registries/repositories:tag] StringEquals 'a'", 1, /not supported/],
  [`${name} StringEqual 'a'`, 68, /a string operator/],
  [`${name} constructor:StringEquals {'a'}`, 68, /a string operator/],
  [`${name} NumericEquals 'a'`, 68, /a string operator/],
  [`${name} StringEquals a`, 81, /a text in quotes/],
  [`${name} StringEquals {'a'}`, 81, /a text in quotes/],
  [`${name} StringStartsWith ''`, 85, /a text in quotes/],
  [`${name} ForAnyOfAnyValues:StringEquals 'a'`, 99, /"\{" is missing/],
  [`${name} ForAnyOfAnyValues:StringEquals {}`, 100, /a text in quotes/],
  [`${name} StringEquals 'a`, 81, /never closed/],
  [`'a' StringEquals ${name}`, 1, /is missing/],
  ["ActionMatches{'a'} & ActionMatches{'b'}", 20, /nothing that a condition knows/],
];

for (const [source, position, said] of refused)
  test(`refused: ${source}`, () => {
    assert.throws(
      () => parseCondition(source),
      (error) =>
        error instanceof RegistryError &&
        error.error === 'INVALID_PARAMETER' &&
        error.target === 'properties.condition' &&
        error.message.startsWith(`the condition is not valid at character ${position}: `) &&
        said.test(error.message),
    );
  });

test('length and depth are bounded', () => {
  const deep = (depth: number): string => `${'('.repeat(depth)}ActionMatches{'*'}${')'.repeat(depth)}`;
  assert.ok(check(deep(64), 'a'));
  assert.throws(() => parseCondition(deep(65)), /nested deeper than 64/);
  assert.throws(() => parseCondition('!'.repeat(4000)), /nested deeper/);
  assert.throws(() => parseCondition(' '.repeat(8193)), /8193 characters, 8192 are allowed/);
  const wide = Array.from({ length: 300 }, () => "ActionMatches{'*'}").join(' OR ');
  assert.ok(check(wide, 'a'), 'a wide condition is not a deep one');
});

test('attack 43: the slowest pattern that fits is still quick', () => {
  const pattern = `${'*a'.repeat(120)}*b`;
  const condition = parseCondition(Array.from({ length: 25 }, () => `${name} StringLike '${pattern}'`).join(' OR '));
  const started = process.cpuUsage();
  assert.equal(holds(condition, { action: read, repositoryName: 'a'.repeat(255) }), false);
  const { user } = process.cpuUsage(started);
  assert.ok(user < 1_000_000, `${user} µs`);
});

const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 });

test('property: StringLike finds what a regular expression finds', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(pattern, letters, (like, text) => {
      const expected = new RegExp(`^${like.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
      assert.equal(check(`${name} StringLike '${like}'`, text), expected);
    }),
    { numRuns: 2000 },
  );
});

interface Sample {
  readonly source: string;
  readonly value: boolean;
}

const leaf: fc.Arbitrary<Sample> = fc.constantFrom(
  { source: `ActionMatches{'${read}'}`, value: true },
  { source: `ActionMatches{'${write}'}`, value: false },
  { source: `${name} StringEquals 'a'`, value: true },
  { source: `${name} StringLike 'b*'`, value: false },
);
const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 6, depthIdentifier: 'condition' },
    leaf,
    tie('sample').map(({ source, value }) => ({ source: `!(${source})`, value: !value })),
    fc.tuple(tie('sample'), tie('sample'), fc.constantFrom(' AND ', ' and ', '&&')).map(([left, right, word]) => ({
      source: `(${left.source})${word}(${right.source})`,
      value: left.value && right.value,
    })),
    fc.tuple(tie('sample'), tie('sample'), fc.constantFrom(' OR ', ' or ', '||')).map(([left, right, word]) => ({
      source: `(${left.source})${word}(${right.source})`,
      value: left.value || right.value,
    })),
  ),
}));

test('property: a condition says what its parts say', () => {
  fc.assert(
    fc.property(sample, ({ source, value }) => {
      fc.pre(source.length <= 8192);
      assert.equal(check(source, 'a'), value);
    }),
  );
});

test('property: no text makes the parser fail in another way', () => {
  const word = fc.constantFrom(
    '(',
    ')',
    '!',
    'AND',
    'OR',
    'NOT',
    '{',
    '}',
    ',',
    "'a'",
    "'",
    name,
    'StringEquals',
    "ActionMatches{'*'}",
    ' ',
    '\0',
    '@',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(word, { maxLength: 30 }).map((words) => words.join(' ')),
        fc.string({ unit: 'grapheme' }),
      ),
      (source) => {
        try {
          parseCondition(source);
        } catch (error) {
          assert.ok(error instanceof RegistryError, String(error));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

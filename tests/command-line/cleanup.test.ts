import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RegistryClient, type StartedRegistry, randomImage, startRegistry } from '@berth/testkit';
import { type BerthRun, failed, runBerth, succeeded } from './run-berth.ts';

interface Bench {
  readonly registry: StartedRegistry;
  readonly client: RegistryClient;
  readonly berth: (...args: string[]) => Promise<BerthRun>;
  readonly tags: (repository: string) => Promise<readonly string[]>;
}

/** A registry with the images v1, v2, v3 in app/web, v1 in tools, and one without a tag in app/web. */
async function setUp(t: TestContext): Promise<Bench & { readonly dangling: string }> {
  const registry = await startRegistry();
  t.after(() => registry.stop());
  const client = new RegistryClient(registry);
  t.after(() => client[Symbol.dispose]());
  for (const reference of ['v1', 'v2', 'v3']) await client.pushImage('app/web', randomImage({ layerBytes: 2000 }), reference);
  await client.pushImage('tools', randomImage({ layerBytes: 2000 }), 'v1');
  const untagged = randomImage({ layerBytes: 2000 });
  await client.pushImage('app/web', untagged);
  return {
    registry,
    client,
    dangling: untagged.manifest.digest,
    berth: (...args) => runBerth(['--data', registry.dataDir, ...args]),
    tags: async (repository) => {
      const { body } = await client.request('GET', `/v2/${repository}/tags/list`);
      return (JSON.parse(body.toString()) as { tags: string[] }).tags;
    },
  };
}

test('purge takes the flags of acr purge, says what goes and why, and a dry run deletes nothing', async (t) => {
  const { berth, tags, dangling } = await setUp(t);
  const args = ['purge', '--filter', 'app/.*:v.*', '--filter', 'none:x', '--ago', '0d', '--keep', '1', '--untagged'];
  const dry = succeeded(await berth(...args, '--dry-run', '--concurrency', '4'))
    .trimEnd()
    .split('\n');
  assert.equal(dry[0], 'Nothing is deleted: this is what would be.');
  assert.equal(dry.at(-1)?.replace(/, \S+ KiB/, ', N KiB'), '2 tags and 3 manifests would go, N KiB at the most.');
  assert.deepEqual(await tags('app/web'), ['v1', 'v2', 'v3']);
  const wet = succeeded(await berth(...args))
    .trimEnd()
    .split('\n');
  assert.deepEqual(wet.slice(0, -1).toSorted(), dry.slice(1, -1).toSorted());
  assert.equal(wet[0], 'untag   app/web:v2  matches a filter, last updated more than 0d ago, not among the newest 1 of these');
  assert.ok(wet.some((line) => line.startsWith(`delete  app/web@${dangling}  `)));
  assert.match(
    wet.at(-1) ?? '',
    /^2 tags and 3 manifests deleted; up to \S+ KiB become free with the next garbage collections\.$/,
  );
  assert.deepEqual([await tags('app/web'), await tags('tools')], [['v3'], ['v1']]);
  const again = JSON.parse(succeeded(await berth('--json', ...args))) as { tagsRemoved: number; decisions: unknown[] };
  assert.deepEqual([again.tagsRemoved, again.decisions], [0, []]);
});

test('purge --untagged-only leaves tags alone, and locks hold until --include-locked', async (t) => {
  const { berth, client, tags, dangling } = await setUp(t);
  const headers = { 'content-type': 'application/json' };
  for (const path of [`app/web/_manifests/${dangling}`, 'app/web/_tags/v1'])
    await client.request('PATCH', `/acr/v1/${path}`, { headers, body: '{"deleteEnabled":false}' });
  assert.match(
    succeeded(await berth('purge', '--untagged-only')),
    /^0 tags and 0 manifests deleted; [^\n]+\n1 locked items were left\.\n$/,
  );
  assert.match(succeeded(await berth('purge', '--untagged-only', '--include-locked')), /\n0 tags and 1 manifests deleted;/);
  assert.equal((await client.request('GET', `/v2/app/web/manifests/${dangling}`)).status, 404);
  assert.deepEqual(await tags('app/web'), ['v1', 'v2', 'v3']);
  const wet = succeeded(await berth('purge', '-f', 'app/web:v1', '--ago', '0d', '--include-locked'));
  assert.match(wet, /^untag {3}app\/web:v1 /);
});

test('rules are set, listed, previewed, run and deleted', async (t) => {
  const { berth, tags, dangling } = await setUp(t);
  assert.equal(succeeded(await berth('cleanup', 'list')), 'There are no cleanup rules.\n');
  const rule = ['--repositories', 'app/*', '--tags', 'v*', '--keep-last', '2', '--untagged-older-than', '0d'];
  const line = 'two  app/*:v*  keeps the newest 2, deletes untagged for 0d';
  assert.equal(
    succeeded(await berth('cleanup', 'set', 'two', ...rule)),
    `${line}\nberth cleanup preview shows what the rules would delete.\n`,
  );
  succeeded(await berth('cleanup', 'set', 'all', '--repositories', '*', '--keep-last', '0', '--disabled'));
  assert.equal(succeeded(await berth('cleanup', 'list')), `all  *:*  keeps the newest 0  (disabled)\n${line}\n`);
  const previewed = succeeded(await berth('cleanup', 'preview'));
  assert.match(previewed, /\nuntag {3}app\/web:v1 {2}not among the newest 2 of app\/\*:v\* \(rule two\)\n/);
  assert.match(previewed, new RegExp(`\ndelete  app/web@${dangling}  `));
  assert.match(previewed, /\n1 tags and 1 manifests would go, /);
  assert.match(
    succeeded(await berth('cleanup', 'preview', '--repositories', '*', '--keep-last', '0')),
    /\n4 tags and 0 manifests/,
  );
  assert.deepEqual(await tags('app/web'), ['v1', 'v2', 'v3']);
  assert.match(succeeded(await berth('cleanup', 'run')), /^1 tags and [12] manifests deleted;/);
  assert.deepEqual([await tags('app/web'), await tags('tools')], [['v2', 'v3'], ['v1']]);
  assert.equal(succeeded(await berth('cleanup', 'delete', 'two')), 'The rule two is deleted.\n');
  const list = JSON.parse(succeeded(await berth('--json', 'cleanup', 'list'))) as { name: string }[];
  assert.deepEqual(
    list.map(({ name }) => name),
    ['all'],
  );
});

test('what is wrong is said by the server, and nothing is deleted', async (t) => {
  const { berth, tags } = await setUp(t);
  const cases: readonly (readonly [RegExp, readonly string[]])[] = [
    [/^a purge needs a filter such as/, ['purge']],
    [/^a purge of tags needs their age/, ['purge', '--filter', '.*:.*']],
    [/^ago: "old" is no duration/, ['purge', '--filter', '.*:.*', '--ago', 'old']],
    [
      /^the pattern "\(" is no regular expression in RE2's syntax: missing closing \)/,
      ['purge', '--filter', '.*:(', '--ago', '0d'],
    ],
    [/^the rule keep does not say what stays/, ['cleanup', 'set', 'keep', '--repositories', '*']],
    [/^there is no cleanup rule "none"/, ['cleanup', 'delete', 'none']],
  ];
  for (const [message, args] of cases) {
    const { code, stdout, stderr } = await berth(...args);
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' }, args.join(' '));
    assert.match(stderr.replace(/^berth: /, ''), message);
  }
  assert.deepEqual(failed(await berth('cleanup', 'set', 'keep')), {
    why: 'the rule does not say which repositories it is about',
    next: "give --repositories, such as 'app/*'",
  });
  assert.deepEqual(await tags('app/web'), ['v1', 'v2', 'v3']);
});

test('purge-schedule makes, shows and deletes purges by the clock, and says what is wrong with one', async (t) => {
  const { berth } = await setUp(t);
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await berth(...args);
    assert.equal(code, 1, stderr);
    return stderr;
  };
  assert.match(
    succeeded(await berth('purge-schedule', 'list')),
    /^No purge runs by the clock\. Make one: berth purge-schedule set /,
  );
  const made = succeeded(
    await berth(
      'purge-schedule',
      'set',
      'nightly',
      '--cron',
      '0 1 * * *',
      '--filter',
      'app/.*:v.*',
      '--ago',
      '30d',
      '--keep',
      '3',
    ),
  );
  assert.match(
    made,
    /^nightly {2}"0 1 \* \* \*" UTC, next at \S+T01:00:00\.000Z\n {2}--filter 'app\/\.\*:v\.\*' --ago 30d --keep 3\n$/,
  );
  assert.equal(succeeded(await berth('purge-schedule', 'list')), made);
  assert.match(
    await refused('purge-schedule', 'set', 'x', '--cron', '0 25 * * *', '--filter', 'a:b', '--ago', '1d'),
    /the schedule has "25" for the hour, which it cannot be/,
  );
  assert.match(await refused('purge-schedule', 'set', 'x', '--cron', '0 1 * * *'), /needs a filter/);
  succeeded(await berth('purge-schedule', 'delete', 'nightly'));
  assert.match(await refused('purge-schedule', 'delete', 'nightly'), /no purge schedule "nightly"/);
});

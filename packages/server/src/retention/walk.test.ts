import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import fc from 'fast-check';
import { type CompiledQuery, type KyselyPlugin, type RootOperationNode, createQueryId } from 'kysely';
import { bytesOf, digestOf, image, index as indexOf } from '../catalog/test-catalog.ts';
import { addTags } from '../catalog/test-transactions.ts';
import type { ReadQueries } from '../platform/database/index.ts';
import { planCleanup } from './plan-cleanup.ts';
import type { PurgeRequest } from './purge.ts';
import { manifestsBefore, pageSize, parentsOf, tagsOf, untaggedAfter } from './queries.ts';
import { parseRule } from './rules.ts';
import { type TestRetention, dayMs, openTestRetention, taken } from './test-retention.ts';
import { ageTags } from './test-transactions.ts';
import { type Place, type WalkOptions, walk } from './walk.ts';

async function optionsFor({ context, catalog }: TestRetention, t: TestContext): Promise<WalkOptions> {
  const rules = [parseRule('some', { repositories: '*', keepLast: 10, keepNewerThan: '1d', untaggedOlderThan: '1d' })];
  const {
    database: { read: db },
    lastPulls,
    clock,
  } = context;
  const plan = planCleanup({ db, rules, lastPulls, asOf: clock.now(), signal: t.signal });
  return { db, registryId: catalog.registry.id, plan, from: undefined, assumesUntagged: false, signal: t.signal };
}

/** A manifest of a random repository. */
interface Node {
  /** Earlier nodes that it lists, if it is an index. */
  readonly children: readonly number[] | undefined;
  readonly subject: number | undefined;
  readonly isTagged: boolean;
  readonly ageDays: number;
  readonly lock: 'none' | 'tag' | 'manifest';
}

const anyNodes = fc.array(
  fc.record({
    children: fc.option(fc.uniqueArray(fc.nat(9), { maxLength: 3 }), { nil: undefined }),
    subject: fc.option(fc.nat(9), { nil: undefined }),
    isTagged: fc.boolean(),
    ageDays: fc.nat(40),
    lock: fc.constantFrom('none' as const, 'none' as const, 'none' as const, 'tag' as const, 'manifest' as const),
  }),
  { minLength: 1, maxLength: 10 },
);

const anyRequest = fc
  .record({
    tags: fc.constantFrom('.*', 't[0-4]', 't[13579]', 'none'),
    days: fc.nat(40),
    keep: fc.nat(3),
    kind: fc.constantFrom('untagged', 'untaggedOnly', 'tags'),
    includeLocked: fc.boolean(),
  })
  .map(
    ({ tags, days, keep, kind, includeLocked }) =>
      (repository: string): PurgeRequest => ({
        filters: [`${repository}:${tags}`],
        ago: `${days}d`,
        keep,
        includeLocked,
        untagged: kind === 'untagged',
        untaggedOnly: kind === 'untaggedOnly',
      }),
  );

/** Pushes the nodes and answers with their digests. */
async function pushAll({ catalog, lock }: TestRetention, repository: string, nodes: readonly Node[]): Promise<readonly string[]> {
  const now = catalog.clock.time;
  await catalog.pushBlob(repository, 'config');
  const documents: object[] = [];
  const digests: string[] = [];
  for (const [at, { children, subject, isTagged, ageDays, lock: locked }] of nodes.entries()) {
    catalog.clock.time = now - ageDays * dayMs;
    const more = {
      annotations: { at: `${repository} ${at}` },
      ...(subject !== undefined && subject < at && { subject: descriptorOf(documents[subject] ?? {}) }),
    };
    const listed = children?.filter((child) => child < at).map((child) => documents[child] ?? {});
    const document = listed === undefined ? image('config', [], more) : indexOf(listed, more);
    documents.push(document);
    digests.push(await catalog.push(repository, document, isTagged ? `t${at}` : undefined));
    if (locked === 'tag' && isTagged) await lock(repository, { reference: `t${at}` }, { deleteEnabled: false });
    if (locked === 'manifest') await lock(repository, { digest: digests[at] ?? '' }, { writeEnabled: false });
  }
  catalog.clock.time = now;
  return digests;
}

function descriptorOf(document: object): object {
  const bytes = bytesOf(document);
  return { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf(bytes), size: bytes.length };
}

/** How SQLite would go about the queries that `ask` makes; PostgreSQL decides by what is in the tables. */
async function plansOf({ context }: TestRetention, ask: (db: ReadQueries) => Promise<unknown>): Promise<string> {
  const { read } = context.database;
  const nodes: RootOperationNode[] = [];
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      nodes.push(node);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  await ask(read.withPlugin(plugin));
  let text = '';
  for (const node of nodes) {
    const query: CompiledQuery = read.getExecutor().compileQuery(node, createQueryId());
    const { rows } = await read.executeQuery({ ...query, sql: `explain query plan ${query.sql}` });
    text += JSON.stringify(rows);
  }
  return text;
}

/** Many pages; in the long form, very many. */
const tagCount = process.env['BERTH_LONG'] === '1' ? 20_000 : 4_000;

forEachEngine((engine) => {
  const readsAlongIndexes = async (t: TestContext): Promise<void> => {
    const retention = await openTestRetention(engine, t);
    await retention.pushImage('app', ['v1']);
    const page = { registryId: 1, since: 0, until: 5, after: { at: 0, id: 0 } };
    const before = { at: 5, name: '' };
    const cases: readonly (readonly [string, (db: ReadQueries) => Promise<unknown>])[] = [
      ['manifests USING INDEX manifests_untagged', (db) => untaggedAfter(db, page)],
      ['manifests USING INDEX manifests_updated', (db) => manifestsBefore(db, 1, before)],
      ['listing USING COVERING INDEX manifest_children_child', (db) => parentsOf(db, 1, 'sha256:0', 5)],
      ['tags USING INDEX tags_manifest', (db) => tagsOf(db, 1, 5)],
    ];
    for (const [index, ask] of cases) {
      const plan = await plansOf(retention, ask);
      assert.ok(plan.includes(index), `${index}: ${plan}`);
      assert.doesNotMatch(plan, /SCAN|TEMP B-TREE/);
    }
  };
  // Only SQLite tells the same plan whatever the tables hold.
  if (engine.name === 'sqlite') test('each page is read along its index, however the tables are filled', readsAlongIndexes);

  test('a page is bounded however many tags there are, and a walk can go on from each page', async (t) => {
    const retention = await openTestRetention(engine, t);
    const digest = await retention.pushImage('app', ['keep']);
    await retention.pushImage('web', ['v1']);
    const names = Array.from({ length: tagCount }, (_, at) => `t${String(at).padStart(5, '0')}`);
    await retention.context.database.write(addTags, { digest, names });
    await retention.context.database.write(ageTags, { updatedAt: retention.catalog.clock.time - 20 * dayMs, step: 1 });
    const options = await optionsFor(retention, t);
    const places: Place[] = [];
    const seen = new Set<string>();
    for await (const { decisions, examined, next } of walk(options)) {
      assert.ok(examined <= pageSize && decisions.length <= pageSize);
      for (const { name } of decisions) seen.add(name);
      places.push(next);
    }
    // Of `app` the ten newest stay, and `keep` sorts before the others.
    assert.equal(seen.size, tagCount + 1 - 10);
    assert.equal(places.length, Math.ceil((tagCount + 1) / pageSize) + 1, 'one page more for the tag of web');
    const [middle] = places.slice(10);
    let left = 0;
    for await (const { decisions } of walk({ ...options, from: middle })) left += decisions.length;
    assert.equal(left, tagCount + 1 - 11 * pageSize);
  });

  test('a walk passes over more repositories than a page holds', async (t) => {
    const retention = await openTestRetention(engine, t);
    for (let at = 0; at < 120; at += 1) await retention.catalog.pushBlob(`r${at}`, 'config');
    for (let at = 0; at < 120; at += 1) await retention.catalog.push(`r${at}`, image('config'));
    retention.days(2);
    const repositories = new Set<string>();
    for await (const { decisions } of walk(await optionsFor(retention, t)))
      for (const { repository } of decisions) repositories.add(repository);
    assert.equal(repositories.size, 120);
  });

  test('property: a dry run says what the purge does, no index loses an image, and locks and young tags hold', async (t) => {
    const retention = await openTestRetention(engine, t);
    const seed = Number(process.env['BERTH_SEED'] ?? Date.now() % 1_000_000_007);
    t.diagnostic(`seed ${seed} (set BERTH_SEED to run it again)`);
    let count = 0;
    const runs = fc.asyncProperty(anyNodes, anyRequest, async (nodes, requestFor) => {
      count += 1;
      const repository = `repository${count}`;
      const digests = await pushAll(retention, repository, nodes);
      const request = requestFor(repository);
      const dry = taken(await retention.purge({ ...request, dryRun: true }));
      assert.deepEqual(taken(await retention.purge(request)), dry);
      const tags = new Set(await retention.tags(repository));
      const days = Number.parseInt(request.ago ?? '0', 10);
      const isThere = await Promise.all(digests.map((digest) => retention.has(repository, digest)));
      for (const [at, { children = [], isTagged, ageDays, lock }] of nodes.entries()) {
        if (isThere[at] === true) for (const child of children) if (child < at) assert.ok(isThere[child], `${at} lists ${child}`);
        const isSafe = ageDays <= days || (lock !== 'none' && request.includeLocked !== true);
        if (isTagged && (ageDays <= days || (lock === 'tag' && isSafe))) assert.ok(tags.has(`t${at}`), `t${at}`);
        if (ageDays <= days || (lock === 'manifest' && isSafe)) assert.ok(isThere[at], `manifest ${at}`);
        if (tags.has(`t${at}`)) assert.ok(isThere[at], `behind t${at}`);
      }
    });
    await fc.assert(runs, { seed, numRuns: engine.name === 'sqlite' ? 60 : 30, endOnFailure: true });
    assert.deepEqual(retention.catalog.logged, []);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Need } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import fc from 'fast-check';
import { type TestCatalog, bytesOf, digestOf, garbageDelayMs, openTestCatalog } from './test-catalog.ts';
import {
  CatalogModel,
  type KnownManifest,
  type ModelRepository,
  contents,
  manifests,
  repositories,
  subjects,
  tags,
} from './test-model.ts';
import { foldStored, storedIn } from '../platform/stored-bytes/index.ts';
import { assertSizeIsExact } from './test-size.ts';

const isLong = process.env['BERTH_LONG'] === '1';

/** The real catalog; a restart puts another one in its place. */
interface Real {
  registry: TestCatalog;
  commands: number;
}

type Command = fc.AsyncCommand<CatalogModel, Real>;

const blobs = contents.map((content) => ({ content, digest: digestOf(content) }));

/** After how many commands everything is compared; in between, what is listed and counted. */
const everything = isLong ? 1 : 4;

/** Says what it does, does it to both, and compares what both then show of one repository. */
function command(text: string, name: string, act: (model: CatalogModel, registry: TestCatalog) => Promise<void>): Command {
  return {
    check: () => true,
    toString: () => text,
    run: async (model, real) => {
      await act(model, real.registry);
      real.commands += 1;
      await (real.commands % everything === 0 ? compare : compareLists)(model, real.registry, name);
    },
  };
}

const isPull = (need: Need): boolean => need.type === 'repository' && need.action === 'pull';

async function compareLists(model: CatalogModel, registry: TestCatalog, name: string): Promise<void> {
  await assertSizeIsExact(registry);
  const expected = model.repositories.get(name);
  const listed = await registry.ask('list-tags', { name });
  if (expected === undefined) assert.equal(listed.error, 'NAME_UNKNOWN');
  else assert.deepEqual(listed.json, { name, tags: [...expected.tags.keys()].toSorted() });
  const facts = await registry.ask('acr-get-repository', { name });
  if (expected?.isListed !== true) assert.equal(facts.error, 'NAME_UNKNOWN');
  else {
    const { manifestCount, tagCount } = facts.json as { manifestCount: number; tagCount: number };
    assert.deepEqual([manifestCount, tagCount], [expected.manifests.size, expected.tags.size]);
  }
  assert.deepEqual((await registry.ask('list-repositories', {})).json, { repositories: model.listed() });
}

async function compare(model: CatalogModel, registry: TestCatalog, name: string): Promise<void> {
  await compareLists(model, registry, name);
  const expected = model.repositories.get(name);
  // Nobody writes meanwhile: what is asked at once is answered the same.
  await Promise.all([
    ...blobs.map(({ digest }) => compareBlob(registry, { name, digest }, expected)),
    ...manifests.map(({ digest }) => compareManifest(registry, { name, reference: digest }, expected, digest)),
    ...tags.map((tag) => compareManifest(registry, { name, reference: tag }, expected, expected?.tags.get(tag) ?? '')),
    ...subjects.map((digest) => compareReferrers(registry, { name, digest }, expected)),
  ]);
}

interface Named {
  readonly name: string;
  readonly digest: string;
}

async function compareBlob(registry: TestCatalog, named: Named, expected: ModelRepository | undefined): Promise<void> {
  // As one who may only pull: a push that is told of a blob keeps it longer.
  const { status } = await registry.ask('head-blob', { ...named, permits: isPull });
  assert.equal(status, expected?.blobs.has(named.digest) === true ? 200 : 404, `blob ${named.digest}`);
}

async function compareReferrers(registry: TestCatalog, named: Named, expected: ModelRepository | undefined): Promise<void> {
  const { json } = await registry.ask('list-referrers', { ...named });
  assert.deepEqual((json as { manifests: unknown[] }).manifests, (expected?.referrersOf(named.digest) ?? []).map(descriptorOf));
}

async function compareManifest(
  registry: TestCatalog,
  { name, reference }: { readonly name: string; readonly reference: string },
  repository: ModelRepository | undefined,
  digest: string,
): Promise<void> {
  const expected = repository?.manifests.get(digest);
  const got = await registry.ask('get-manifest', { name, reference });
  assert.equal(got.status, expected === undefined ? 404 : 200, `manifest ${reference}`);
  const hidden = expected !== undefined && reference === digest ? 405 : 404;
  const outside = await registry.ask('head-manifest', { name, reference, permits: isPull });
  assert.equal(outside.status, repository?.passed.has(digest) === true ? 200 : hidden, `manifest ${reference} from outside`);
  if (expected === undefined) return;
  assert.deepEqual(got.bytes, expected.bytes);
  assert.equal(got.headers['Docker-Content-Digest'], expected.digest);
  assert.equal(got.headers['Content-Type'], expected.mediaType);
}

function descriptorOf({ mediaType, digest, bytes, artifactType, annotations }: KnownManifest): object {
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
  };
}

const anyRepository = fc.constantFrom('a', 'a', ...repositories);
const anyBlob = fc.constantFrom(...blobs);
const anyTag = fc.constantFrom(...tags);
const anyManifest = fc.nat(manifests.length - 1);

const pushBlob = fc.tuple(anyRepository, anyBlob).map(([name, { content, digest }]) =>
  command(`push blob ${content} to ${name}`, name, async (model, registry) => {
    model.link(name, digest);
    await registry.pushBlob(name, content);
  }),
);

/** Everything that a manifest needs, as a client would do it. */
const pushWhole = fc.tuple(anyRepository, anyManifest, anyTag).map(([name, at, tag]) =>
  command(`push manifest ${at} with all it needs to ${name} as ${tag}`, name, async (model, registry) => {
    const pushAll = async (digest: string): Promise<void> => {
      const manifest = manifests.find((each) => each.digest === digest) ?? assert.fail();
      for (const blob of blobs.filter((each) => manifest.blobs.includes(each.digest))) {
        model.link(name, blob.digest);
        await registry.pushBlob(name, blob.content);
      }
      for (const child of manifest.children) await pushAll(child);
      assert.equal(model.push(name, manifest, []), undefined);
      assert.equal((await registry.ask('put-manifest', { name, reference: digest, body: manifest.bytes })).status, 201);
    };
    const manifest = manifests[at] ?? assert.fail();
    await pushAll(manifest.digest);
    assert.equal(model.push(name, manifest, [tag]), undefined);
    assert.equal(
      (await registry.ask('put-manifest', { name, reference: manifest.digest, query: { tag }, body: manifest.bytes })).status,
      201,
    );
  }),
);

const pushManifest = fc.tuple(anyRepository, anyManifest, fc.subarray([...tags])).map(([name, at, newTags]) =>
  command(`push manifest ${at} to ${name} as [${newTags.join(', ')}]`, name, async (model, registry) => {
    const manifest = manifests[at] ?? assert.fail();
    const missing = model.push(name, manifest, newTags);
    const query = new URLSearchParams(newTags.map((tag) => ['tag', tag]));
    const answer = await registry.ask('put-manifest', { name, reference: manifest.digest, query, body: manifest.bytes });
    assert.equal(answer.error, missing === undefined ? undefined : 'MANIFEST_BLOB_UNKNOWN');
    if (missing !== undefined) assert.deepEqual(answer.detail, { digest: missing });
  }),
);

const mount = fc.tuple(anyRepository, anyRepository, anyBlob).map(([from, to, { content, digest }]) =>
  command(`mount blob ${content} from ${from} to ${to}`, to, async (model, registry) => {
    const isMounted = model.mount(from, to, digest);
    const answer = await registry.ask('start-upload', { name: to, query: { mount: digest, from } });
    assert.equal(answer.status, isMounted ? 201 : 202);
    // The upload that was offered instead makes the repository.
    if (!isMounted) model.ensure(to);
  }),
);

const deleteTag = fc.tuple(anyRepository, anyTag).map(([name, tag]) =>
  command(`delete tag ${tag} of ${name}`, name, async (model, registry) => {
    const isDeleted = model.deleteTag(name, tag);
    assert.equal((await registry.ask('delete-manifest', { name, reference: tag })).status, isDeleted ? 202 : 404);
  }),
);

const deleteManifest = fc.tuple(anyRepository, anyManifest).map(([name, at]) =>
  command(`delete manifest ${at} of ${name}`, name, async (model, registry) => {
    const { digest } = manifests[at] ?? assert.fail();
    const isDeleted = model.deleteManifest(name, digest);
    assert.equal((await registry.ask('delete-manifest', { name, reference: digest })).status, isDeleted ? 202 : 404);
  }),
);

const decide = fc.tuple(anyRepository, anyManifest, fc.boolean()).map(([name, at, isPassed]) =>
  command(`${isPassed ? 'pass' : 'fail'} manifest ${at} of ${name}`, name, async (model, registry) => {
    const { digest } = manifests[at] ?? assert.fail();
    const isDecided = model.decide(name, digest, isPassed);
    const body = bytesOf({ quarantineState: isPassed ? 'Passed' : 'Failed' });
    assert.equal((await registry.ask('acr-update-manifest', { name, digest, body })).status, isDecided ? 200 : 404);
  }),
);

const deleteBlob = fc.tuple(anyRepository, anyBlob).map(([name, { content, digest }]) =>
  command(`delete blob ${content} of ${name}`, name, async (model, registry) => {
    assert.equal((await registry.ask('delete-blob', { name, digest })).status, model.deleteBlob(name, digest));
  }),
);

const deleteRepository = anyRepository.map((name) =>
  command(`delete repository ${name}`, name, async (model, registry) => {
    const isDeleted = model.deleteRepository(name);
    assert.equal((await registry.ask('delete-repository', { name })).status, isDeleted ? 202 : 404);
  }),
);

const collect = fc.tuple(anyRepository, fc.constantFrom(0, 5, 25, 25, 25)).map(([name, hours]) =>
  command(`collect ${hours} hours later`, name, async (model, registry) => {
    registry.clock.time += hours * 3_600_000;
    model.time = registry.clock.time;
    model.collect();
    await registry.collect();
    if (hours > 0) await registry.database.write(foldStored, {});
  }),
);

const askToPush = fc.tuple(anyRepository, fc.constantFrom(...blobs)).map(([name, { content, digest }]) =>
  command(`ask ${name} for blob ${content} in order to push`, name, async (model, registry) => {
    const { status } = await registry.ask('head-blob', { name, digest });
    assert.equal(status, model.keepForPush(name, digest) ? 200 : 404);
  }),
);

const restart = anyRepository.map(
  (name): Command => ({
    check: () => true,
    toString: () => 'restart',
    run: async (model, real) => {
      real.registry = real.registry.restarted();
      await compare(model, real.registry, name);
    },
  }),
);

const commands = [
  pushBlob,
  pushWhole,
  pushWhole,
  pushManifest,
  pushManifest,
  mount,
  askToPush,
  deleteTag,
  deleteManifest,
  deleteManifest,
  decide,
  deleteBlob,
  deleteRepository,
  collect,
  collect,
  collect,
  restart,
];

forEachEngine((engine) => {
  test('model: the catalog never differs from a simple one, and nothing is left of what is gone', async (t) => {
    const first = await openTestCatalog(engine, t);
    const runs = fc.asyncProperty(fc.commands(commands, { maxCommands: isLong ? 120 : 40, size: 'max' }), async (chosen) => {
      const real: Real = { registry: (await first.otherRegistry()).withPolicies({ isQuarantineEnabled: true }), commands: 0 };
      const model = new CatalogModel(real.registry.clock.time);
      await fc.asyncModelRun(() => ({ model, real }), chosen);
      for (const name of repositories) await compare(model, real.registry, name);
      await leaveNothing(real.registry);
    });
    const seed = Number(process.env['BERTH_SEED'] ?? Date.now() % 1_000_000_007);
    t.diagnostic(`seed ${seed} (set BERTH_SEED to run it again)`);
    // A run that fails leaves rows behind in which every smaller run would fail too.
    await fc.assert(runs, { seed, numRuns: isLong ? 1000 : engine.name === 'sqlite' ? 60 : 30, endOnFailure: true });
    assert.deepEqual(first.logged, []);
  });
});

/** Once everything was deleted and collected no row and no object is left, whatever happened before. */
async function leaveNothing(registry: TestCatalog): Promise<void> {
  for (const name of repositories) await registry.ask('delete-repository', { name });
  for (let round = 0; round < 2; round += 1) {
    registry.clock.time += 2 * garbageDelayMs;
    await registry.collect();
  }
  for (const table of [
    'repositories',
    'manifests',
    'manifest_blobs',
    'manifest_children',
    'tags',
    'repository_blobs',
    'blobs',
    'uploads',
    'parts',
    'garbage',
  ] as const) {
    const row = await registry.database.read.selectFrom(table).selectAll().limit(1).executeTakeFirst();
    assert.equal(row, undefined, `a row is left in ${table}`);
  }
  assert.deepEqual(await storedIn(registry.database.read, registry.registry.id), { bytes: 0, blobs: 0 });
  assert.deepEqual(registry.logged, []);
}

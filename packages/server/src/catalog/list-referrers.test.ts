import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypes } from '@berth/oci';
import { forEachEngine } from '@berth/testkit';
import fc from 'fast-check';
import { type TestCatalog, bytesOf, descriptor, digestOf, image, index, openTestCatalog } from './test-catalog.ts';

interface Listed {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Record<string, string>;
}

interface ReferrersPage {
  readonly index: { readonly schemaVersion: number; readonly mediaType: string; readonly manifests: readonly Listed[] };
  readonly headers: Readonly<Record<string, string | number>>;
  readonly next: URLSearchParams | undefined;
}

async function pageOf(
  registry: TestCatalog,
  digest: string,
  query: URLSearchParams | Record<string, string> = {},
  name = 'a',
): Promise<ReferrersPage> {
  const answer = await registry.ask('list-referrers', { name, digest, query });
  assert.equal(answer.status, 200, answer.message);
  assert.equal(answer.headers['Content-Type'], mediaTypes.ociIndex);
  const link = /^<\/v2\/a\/referrers\/sha256:[0-9a-f]{64}\?([^>]+)>; rel="next"$/.exec(String(answer.headers['Link'] ?? ''));
  return {
    index: answer.json as ReferrersPage['index'],
    headers: answer.headers,
    next: link === null ? undefined : new URLSearchParams(link[1]),
  };
}

async function allOf(registry: TestCatalog, digest: string, query: Record<string, string>): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  for (let page: URLSearchParams | Record<string, string> | undefined = query; page !== undefined; ) {
    const { index: some, next } = await pageOf(registry, digest, page);
    found.push(...some.manifests);
    page = next;
  }
  return found;
}

const subject = descriptor(bytesOf(image('config')), mediaTypes.ociManifest);

forEachEngine((engine) => {
  test('a repository that was never used, and a subject without referrers, have an empty index', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const empty = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
    assert.deepEqual((await pageOf(registry, digestOf('x'), {}, 'never/used')).index, empty);
    await registry.pushBlob('a', 'config');
    await registry.push('a', image('config'));
    assert.deepEqual((await pageOf(registry, subject.digest)).index, empty);
    assert.equal((await registry.ask('list-referrers', { name: 'a', digest: 'sha256:x' })).error, 'DIGEST_INVALID');
  });

  test('referrers are listed with type, size and annotations, of images and of indexes', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const documents = {
      signature: image('config', [], {
        artifactType: 'application/vnd.example.signature',
        subject,
        annotations: { 'org.example': 'ä "x" \\ \u2028', ['__proto__']: 'p' },
      }),
      plain: image('config', [], { subject }),
      list: index([], { subject, annotations: { a: 'b' } }),
      typedList: index([], { subject, artifactType: 'application/vnd.example.list' }),
    };
    Object.defineProperty((documents.signature as { annotations: object }).annotations, '__proto__', {
      value: 'p',
      enumerable: true,
      configurable: true,
    });
    for (const document of Object.values(documents)) await registry.push('a', document);
    const listed = new Map((await pageOf(registry, subject.digest)).index.manifests.map((each) => [each.digest, each]));
    const expected = (document: object, mediaType: string, artifactType: string | undefined) => ({
      ...descriptor(bytesOf(document), mediaType),
      ...(artifactType !== undefined && { artifactType }),
    });
    const { signature, plain, list, typedList } = documents;
    const at = (document: object) => listed.get(digestOf(bytesOf(document)));
    const { annotations, ...bare } = at(signature) ?? assert.fail();
    assert.deepEqual(bare, expected(signature, mediaTypes.ociManifest, 'application/vnd.example.signature'));
    // attack 44: keys of JSON are data.
    assert.equal(JSON.stringify(annotations), JSON.stringify((signature as { annotations: object }).annotations));
    assert.deepEqual(Object.keys(annotations ?? {}).toSorted(), ['__proto__', 'org.example']);
    assert.deepEqual(at(plain), expected(plain, mediaTypes.ociManifest, 'application/vnd.oci.image.config.v1+json'));
    assert.deepEqual(at(list), { ...expected(list, mediaTypes.ociIndex, undefined), annotations: { a: 'b' } });
    assert.deepEqual(at(typedList), expected(typedList, mediaTypes.ociIndex, 'application/vnd.example.list'));
    assert.equal(listed.size, 4);

    const filtered = async (artifactType: string) => {
      const page = await pageOf(registry, subject.digest, { artifactType });
      assert.equal(page.headers['OCI-Filters-Applied'], 'artifactType');
      return page.index.manifests.map((each) => each.digest);
    };
    assert.deepEqual(await filtered('application/vnd.example.signature'), [digestOf(bytesOf(signature))]);
    assert.deepEqual(await filtered(''), [digestOf(bytesOf(list))]);
    assert.deepEqual(await filtered('application/vnd.example'), []);
    assert.deepEqual(await filtered('no media type'), []);
    assert.equal((await pageOf(registry, subject.digest)).headers['OCI-Filters-Applied'], undefined);
  });

  test('only the own repository is looked at, and a delete shows at once', async (t) => {
    const registry = await openTestCatalog(engine, t);
    for (const name of ['a', 'b']) {
      await registry.pushBlob(name, 'config');
      await registry.push(name, image('config', [], { subject, annotations: { name } }));
    }
    const [mine] = (await pageOf(registry, subject.digest)).index.manifests;
    assert.deepEqual(mine?.annotations, { name: 'a' });
    await registry.ask('delete-manifest', { name: 'a', reference: mine?.digest ?? '' });
    assert.deepEqual((await pageOf(registry, subject.digest)).index.manifests, []);
  });

  test('property: pages put together are the list, also when entries go between pages', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const types = ['application/vnd.example.x', 'application/vnd.example.y'];
    const documents = Array.from({ length: 25 }, (_, at) =>
      image('config', [], { subject, artifactType: types[at % 2], annotations: { at: String(at) } }),
    );
    for (const document of documents) await registry.push('a', document);
    const digests = documents.map((document) => digestOf(bytesOf(document)));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.constantFrom(undefined, 0, 1), async (n, typeAt) => {
        const artifactType = typeAt === undefined ? undefined : types[typeAt];
        const found = await allOf(registry, subject.digest, {
          n: String(n),
          ...(artifactType !== undefined && { artifactType }),
        });
        const expected = digests.filter((_, at) => typeAt === undefined || at % 2 === typeAt).toSorted();
        assert.deepEqual(
          found.map((each) => each.digest),
          expected,
        );
      }),
      { numRuns: 25 },
    );
    const first = await pageOf(registry, subject.digest, { n: '10' });
    const cursor = first.index.manifests.at(-1)?.digest ?? '';
    await registry.ask('delete-manifest', { name: 'a', reference: cursor });
    const rest = await allOf(registry, subject.digest, Object.fromEntries(first.next ?? []));
    assert.deepEqual(
      rest.map((each) => each.digest),
      digests.toSorted().slice(10),
    );
  });

  test('a page is bounded in bytes, not only in entries', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const digests: string[] = [];
    for (let at = 0; at < 7; at += 1)
      digests.push(
        await registry.push('a', image('config', [], { subject, annotations: { at: String(at), pad: 'x'.repeat(1_500_000) } })),
      );
    const first = await pageOf(registry, subject.digest);
    assert.equal(first.index.manifests.length, 2);
    assert.ok(first.next !== undefined);
    const all = await allOf(registry, subject.digest, {});
    assert.deepEqual(
      all.map((each) => each.digest),
      digests.toSorted(),
    );
    assert.ok(all.every((each) => each.annotations?.['pad']?.length === 1_500_000));
  });

  test('attack 6: manifests that refer to themselves or to each other end every listing and collection', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    // A digest cannot be known before its bytes, so a true cycle needs a reference that is wrong: it is missing.
    const fake = digestOf('the digest that this index will have');
    const self = bytesOf({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [{ mediaType: mediaTypes.ociIndex, digest: fake, size: 3 }],
    });
    assert.equal((await registry.ask('put-manifest', { name: 'a', reference: fake, body: self })).error, 'DIGEST_INVALID');
    assert.equal(
      (await registry.ask('put-manifest', { name: 'a', reference: 'self', body: self })).error,
      'MANIFEST_BLOB_UNKNOWN',
    );
    // A chain in which each refers to the one before, as subject and as child, closed by naming a later one as subject.
    let before: object = image('config');
    await registry.push('a', before);
    const chain = [digestOf(bytesOf(before))];
    for (let at = 0; at < 30; at += 1) {
      const last = descriptor(bytesOf(before), at === 0 ? mediaTypes.ociManifest : mediaTypes.ociIndex);
      before = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [last], subject: last };
      chain.push(await registry.push('a', before, 'tip'));
    }
    for (const digest of chain) assert.ok((await pageOf(registry, digest)).index.manifests.length <= 1);
    for (const digest of chain.toReversed())
      assert.equal((await registry.ask('delete-manifest', { name: 'a', reference: digest })).status, 202);
    registry.clock.time += 10 * 86_400_000;
    await registry.collect();
    assert.equal((await registry.ask('head-blob', { name: 'a', digest: digestOf('config') })).status, 404);
  });
});

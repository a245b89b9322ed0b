import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mediaTypes } from '@berth/oci';
import { type ClientAnswer, contentOf } from '@berth/testkit';
import { type Protocol, assertError, assertStatus, protocolTests } from './protocol-tests.ts';

const subject = contentOf(mediaTypes.ociIndex, Buffer.from('{"schemaVersion":2,"manifests":[]}'));
const asSubject = { mediaType: subject.mediaType, digest: subject.digest, size: subject.bytes.length };

/** Follows `Link` headers to the end, with a bound against a list that never ends. */
async function pages({ client }: Protocol, path: string): Promise<ClientAnswer[]> {
  const found: ClientAnswer[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer: ClientAnswer = await client.request('GET', next);
    assertStatus(answer, 200);
    found.push(answer);
    assert.ok(found.length < 200, 'the list does not end');
    const { link } = answer.headers;
    next = typeof link === 'string' ? /^<([^>]+)>; rel="next"$/.exec(link)?.[1] : undefined;
    assert.equal(link === undefined, next === undefined, `a Link that clients cannot read: ${String(link)}`);
  }
  return found;
}

const listOf = (answer: ClientAnswer, field: 'tags' | 'repositories'): string[] =>
  (JSON.parse(answer.body.toString()) as Record<string, string[]>)[field] ?? [];
const manifestsOf = (answer: ClientAnswer): { digest: string }[] =>
  (JSON.parse(answer.body.toString()) as { manifests: { digest: string }[] }).manifests;

async function pushTags({ client }: Protocol, repository: string, tags: readonly string[]): Promise<void> {
  for (let from = 0; from < tags.length; from += 50) {
    const query = tags.slice(from, from + 50).map((tag) => `tag=${tag}`);
    await client.pushManifest(repository, subject, `${subject.digest}?${query.join('&')}`);
  }
}

protocolTests('lists of tags, repositories and referrers', (check) => {
  check('end-8: tags come in the order of ASCII, whole or in pages of any size, each once', async (protocol) => {
    const repository = protocol.newRepository();
    const tags = ['0', '10', '9', 'A', 'Z', '_x', 'a', 'a-b', 'a.b', 'a0', 'aB', 'a_b', 'latest', 'z'.repeat(128)].toSorted(
      (left, right) => (left < right ? -1 : 1),
    );
    await pushTags(protocol, repository, tags);
    for (const query of ['', '?n=1', '?n=3', '?n=14', '?n=15', '?n=1000', '?n=2147483647']) {
      const found = await pages(protocol, `/v2/${repository}/tags/list${query}`);
      assert.deepEqual(
        found.flatMap((answer) => listOf(answer, 'tags')),
        tags,
        query,
      );
      const size = Number(query.slice(3)) || 1000;
      assert.equal(found.length, Math.ceil(tags.length / size));
    }
    for (const [last, rest] of [
      ['a', tags.slice(tags.indexOf('a') + 1)],
      ['a!', tags.slice(tags.indexOf('a') + 1)],
      ['zzzz', ['z'.repeat(128)]],
      ['~', []],
    ] as const) {
      const answer = await protocol.client.request('GET', `/v2/${repository}/tags/list?last=${encodeURIComponent(last)}`);
      assert.deepEqual(listOf(answer, 'tags'), rest, last);
    }
  });

  check('end-8b: n=0 gives an empty list', async (protocol) => {
    const repository = protocol.newRepository();
    await pushTags(protocol, repository, ['one']);
    const answer = await protocol.client.request('GET', `/v2/${repository}/tags/list?n=0`);
    assertStatus(answer, 200);
    assert.deepEqual([JSON.parse(answer.body.toString()), answer.headers.link], [{ name: repository, tags: [] }, undefined]);
  });

  check('a page goes on where it ended although its last tag was deleted meanwhile', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    await pushTags(protocol, repository, ['a', 'b', 'c', 'd']);
    const first = await client.request('GET', `/v2/${repository}/tags/list?n=2`);
    const next = /<(.+)>/.exec(String(first.headers.link))?.[1] ?? '';
    assertStatus(await client.request('DELETE', `/v2/${repository}/manifests/b`), 202);
    assert.deepEqual(listOf(await client.request('GET', next), 'tags'), ['c', 'd']);
  });

  check('attack 1: impossible page sizes and cursors are refused or cut, never served at length', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    await pushTags(
      protocol,
      repository,
      Array.from({ length: 1100 }, (_, index) => `tag-${String(index).padStart(5, '0')}`),
    );
    const lists = [`/v2/${repository}/tags/list`, '/v2/_catalog', `/v2/${repository}/referrers/${subject.digest}`];
    for (const path of lists) {
      for (const n of ['-1', '1.5', 'x', '0x10', '1e3', '99999999999999999999', '%00', '１'])
        assertError(await client.request('GET', `${path}?n=${n}`), 400, 'PAGINATION_NUMBER_INVALID');
      assertError(await client.request('GET', `${path}?last=${'x'.repeat(5000)}`), 400, 'PAGINATION_NUMBER_INVALID');
      assertStatus(await client.request('GET', `${path}?n=2147483647`), 200);
      for (const last of ['%00', "'%20OR%201=1--", '%F0%9F%98%80', '%ff'])
        assertStatus(await client.request('GET', `${path}?last=${last}`), 200, 400);
    }
    const found = await pages(protocol, `${lists[0]}?n=2147483647`);
    assert.ok(found.every((answer) => listOf(answer, 'tags').length <= 1000));
    assert.equal(found.flatMap((answer) => listOf(answer, 'tags')).length, 1100);
  });

  check('the catalog has every repository with a manifest once, in order, in pages', async (protocol) => {
    const { client } = protocol;
    const prefix = `catalog/${randomUUID()}`;
    const names = ['a', 'a-b', 'a/b', 'a0', 'b', 'b/c/d'].map((name) => `${prefix}/${name}`);
    for (const name of names) await client.pushManifest(name, subject, 'latest');
    await client.pushBlob(`${prefix}/only-a-blob`, Buffer.from('blob'));
    for (const query of ['', '?n=1', '?n=4']) {
      const found = (await pages(protocol, `/v2/_catalog${query}`)).flatMap((answer) => listOf(answer, 'repositories'));
      assert.deepEqual(
        found.filter((name) => name.startsWith(prefix)),
        names.toSorted((left, right) => (left < right ? -1 : 1)),
      );
      assert.deepEqual(
        found,
        [...new Set(found)].toSorted((left, right) => (left < right ? -1 : 1)),
      );
    }
  });

  check('end-12: referrers come in pages, with and without a filter, each once', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const referring = Array.from({ length: 25 }, (_, index) => {
      const document = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        artifactType: `application/vnd.example.t${index % 2}`,
        manifests: [],
        subject: asSubject,
        annotations: { index: String(index) },
      };
      return contentOf(mediaTypes.ociIndex, Buffer.from(JSON.stringify(document)));
    });
    for (const manifest of referring) await client.pushManifest(repository, manifest);
    const digests = (manifests: readonly { readonly digest: string }[]) => manifests.map(({ digest }) => digest).toSorted();
    for (const query of ['', '?n=10', '?n=1']) {
      const found = await pages(protocol, `/v2/${repository}/referrers/${subject.digest}${query}`);
      assert.deepEqual(digests(found.flatMap(manifestsOf)), digests(referring));
    }
    const filtered = await pages(
      protocol,
      `/v2/${repository}/referrers/${subject.digest}?n=5&artifactType=application/vnd.example.t1`,
    );
    assert.ok(filtered.every((answer) => answer.headers['oci-filters-applied'] === 'artifactType'));
    assert.deepEqual(digests(filtered.flatMap(manifestsOf)), digests(referring.filter((_, index) => index % 2 === 1)));
    const none = await client.request(
      'GET',
      `/v2/${repository}/referrers/${subject.digest}?artifactType=application/vnd.example.none`,
    );
    assert.deepEqual([manifestsOf(none), none.headers['oci-filters-applied']], [[], 'artifactType']);
  });

  check('end-12: a list of referrers stays within 4 MiB and goes on in a next page', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const referring = Array.from({ length: 4 }, (_, index) => {
      const document = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [],
        subject: asSubject,
        annotations: { index: String(index), padding: 'x'.repeat(1_500_000) },
      };
      return contentOf(mediaTypes.ociIndex, Buffer.from(JSON.stringify(document)));
    });
    for (const manifest of referring) await client.pushManifest(repository, manifest);
    const found = await pages(protocol, `/v2/${repository}/referrers/${subject.digest}`);
    assert.ok(found.every((answer) => answer.body.length <= 4 * 1024 * 1024));
    assert.equal(found.flatMap(manifestsOf).length, referring.length);
  });

  check('attack 6: subjects in a circle, of themselves, and indexes that share children end', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const invented = { mediaType: mediaTypes.ociIndex, digest: `sha256:${'e'.repeat(64)}`, size: 10 };
    const make = (fields: object) =>
      contentOf(
        mediaTypes.ociIndex,
        Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], ...fields })),
      );
    // A digest cannot name itself; the nearest that a client can do is a chain whose ends name one another's subject.
    const first = make({ subject: invented });
    const second = make({ subject: { ...invented, digest: first.digest } });
    const third = make({
      subject: { ...invented, digest: second.digest },
      manifests: [first, second].map(({ mediaType, digest, bytes }) => ({ mediaType, digest, size: bytes.length })),
    });
    for (const manifest of [first, second, third]) await client.pushManifest(repository, manifest);
    // An index that contains what it is the subject of.
    const around = make({
      manifests: [{ mediaType: third.mediaType, digest: third.digest, size: third.bytes.length }],
      subject: { ...invented, digest: third.digest },
    });
    await client.pushManifest(repository, around, 'around');
    for (const [of, by] of [
      [invented, first],
      [first, second],
      [second, third],
      [third, around],
    ] as const) {
      const answer = await client.request('GET', `/v2/${repository}/referrers/${of.digest}`);
      assert.deepEqual(
        manifestsOf(answer).map(({ digest }) => digest),
        [by.digest],
      );
    }
    const itself = make({ manifests: [{ ...invented, digest: `sha256:${'0'.repeat(64)}` }] });
    assertError(
      await client.request('PUT', `/v2/${repository}/manifests/itself`, {
        body: itself.bytes,
        headers: { 'content-type': itself.mediaType },
      }),
      404,
      'MANIFEST_BLOB_UNKNOWN',
    );
    for (const { digest } of [first, second, third, around])
      assertStatus(await client.request('DELETE', `/v2/${repository}/manifests/${digest}`), 202);
    assert.deepEqual(manifestsOf(await client.request('GET', `/v2/${repository}/referrers/${third.digest}`)), []);
  });

  check('a deleted repository is gone at once, with what it listed, and its name is free', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    await client.pushManifest(repository, subject, 'latest');
    const digest = await client.pushBlob(repository, Buffer.from('blob'));
    assertStatus(await client.request('DELETE', `/acr/v1/${repository}`, { authorization: client.basic }), 202);
    assertError(await client.request('GET', `/v2/${repository}/tags/list`), 404, 'NAME_UNKNOWN');
    assertStatus(await client.request('GET', `/v2/${repository}/manifests/latest`), 404);
    assertStatus(await client.request('GET', `/v2/${repository}/blobs/${digest}`), 404);
    await client.pushManifest(repository, subject, 'again');
    assert.deepEqual(listOf(await client.request('GET', `/v2/${repository}/tags/list`), 'tags'), ['again']);
  });
});

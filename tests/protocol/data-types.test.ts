import assert from 'node:assert/strict';
import type { Content } from '@berth/testkit';
import { type DataType, type ExpectedReferrer, dataTypes } from './data-types.ts';
import { type Protocol, assertStatus, locationOf, protocolTests } from './protocol-tests.ts';
import { type Upload, assertStored, chunked, postOnly, postPut, streamed } from './uploads.ts';

const ways: readonly Upload[] = [postPut, postOnly, streamed, chunked];
const accept = ['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json'];

interface Step extends Protocol {
  readonly repository: string;
  readonly data: DataType;
}

const tagsOf = (data: DataType, manifest: number): string[] =>
  Object.keys(data.tags).filter((tag) => data.tags[tag] === manifest);

async function push(step: Step): Promise<void> {
  const { repository, data } = step;
  for (const [index, blob] of data.blobs.entries()) {
    const way = ways[index % ways.length] ?? postPut;
    assertStatus(await way(step, repository, blob), 201);
  }
  for (const [index, manifest] of data.manifests.entries()) {
    const tags = data.isTaggedByParameter === true ? tagsOf(data, index) : [];
    const query = tags.length === 0 ? '' : `?${tags.map((tag) => `tag=${tag}`).join('&')}`;
    const answer = await putManifest(step, manifest, `${manifest.digest}${query}`);
    const replied = String(answer.headers['oci-tag'] ?? '')
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== '');
    assert.deepEqual(replied.toSorted(), tags.toSorted());
  }
  if (data.isTaggedByParameter === true) return;
  for (const [tag, index] of Object.entries(data.tags)) {
    const manifest = data.manifests[index];
    assert.ok(manifest);
    await putManifest(step, manifest, tag);
  }
}

async function putManifest(
  { client, repository }: Step,
  manifest: Content,
  reference: string,
): Promise<Awaited<ReturnType<typeof client.request>>> {
  const headers = { 'content-type': manifest.mediaType };
  const answer = await client.request('PUT', `/v2/${repository}/manifests/${reference}`, { body: manifest.bytes, headers });
  assertStatus(answer, 201);
  const { subject } = JSON.parse(manifest.bytes.toString()) as { subject?: { digest: string } };
  assert.equal(answer.headers['oci-subject'], subject?.digest);
  assert.equal(answer.headers['docker-content-digest'], manifest.digest);
  const found = await client.request('GET', locationOf(answer), { headers: { accept } });
  assertStatus(found, 200);
  assert.ok(found.body.equals(manifest.bytes));
  return answer;
}

async function listTags({ client, repository, data }: Step): Promise<void> {
  const answer = await client.request('GET', `/v2/${repository}/tags/list`);
  assertStatus(answer, 200);
  const expected = Object.keys(data.tags).toSorted();
  assert.deepEqual(JSON.parse(answer.body.toString()), { name: repository, tags: expected });
  for (const [index, last] of expected.entries()) {
    const rest = await client.request('GET', `/v2/${repository}/tags/list?last=${last}`);
    assert.deepEqual((JSON.parse(rest.body.toString()) as { tags: string[] }).tags, expected.slice(index + 1));
  }
}

async function readManifests({ client, repository, data }: Step, method: 'HEAD' | 'GET'): Promise<void> {
  for (const [index, manifest] of data.manifests.entries()) {
    for (const reference of [manifest.digest, ...tagsOf(data, index)]) {
      const answer = await client.request(method, `/v2/${repository}/manifests/${reference}`, { headers: { accept } });
      assertStatus(answer, 200);
      assert.deepEqual(
        [answer.headers['content-type'], answer.headers['content-length'], answer.headers['docker-content-digest']],
        [manifest.mediaType, String(manifest.bytes.length), manifest.digest],
      );
      assert.ok(answer.body.equals(method === 'HEAD' ? Buffer.alloc(0) : manifest.bytes));
    }
  }
}

async function listReferrers({ client, repository, data }: Step): Promise<void> {
  for (const [subject, expected] of Object.entries(data.referrers ?? {})) {
    const types = [
      undefined,
      ...new Set(expected.flatMap(({ artifactType }) => (artifactType === undefined ? [] : [artifactType]))),
    ];
    for (const type of types) {
      const answer = await client.request(
        'GET',
        `/v2/${repository}/referrers/${subject}${type === undefined ? '' : `?artifactType=${encodeURIComponent(type)}`}`,
      );
      assertStatus(answer, 200);
      assert.equal(answer.headers['content-type'], 'application/vnd.oci.image.index.v1+json');
      assert.equal(answer.headers['oci-filters-applied'], type === undefined ? undefined : 'artifactType');
      const { schemaVersion, mediaType, manifests } = JSON.parse(answer.body.toString()) as {
        schemaVersion: number;
        mediaType: string;
        manifests: ExpectedReferrer[];
      };
      assert.deepEqual([schemaVersion, mediaType], [2, 'application/vnd.oci.image.index.v1+json']);
      const wanted = expected.filter(({ artifactType }) => type === undefined || artifactType === type);
      assert.deepEqual(byDigest(manifests), byDigest(wanted));
    }
  }
}

function byDigest(list: readonly ExpectedReferrer[]): ExpectedReferrer[] {
  return list.toSorted((left, right) => (left.digest < right.digest ? -1 : 1));
}

/** After each delete the next read finds nothing, and the rest is still there. */
async function remove({ client, repository, data }: Step): Promise<void> {
  for (const [tag, index] of Object.entries(data.tags)) {
    assertStatus(await client.request('DELETE', `/v2/${repository}/manifests/${tag}`), 202);
    assertStatus(await client.request('HEAD', `/v2/${repository}/manifests/${tag}`), 404);
    assertStatus(await client.request('HEAD', `/v2/${repository}/manifests/${data.manifests[index]?.digest}`), 200);
  }
  for (const { digest } of data.manifests.toReversed()) {
    assertStatus(await client.request('DELETE', `/v2/${repository}/manifests/${digest}`), 202);
    assertStatus(await client.request('HEAD', `/v2/${repository}/manifests/${digest}`), 404);
  }
  for (const digest of new Set(data.blobs.map((blob) => blob.digest))) {
    assertStatus(await client.request('DELETE', `/v2/${repository}/blobs/${digest}`), 202);
    assertStatus(await client.request('HEAD', `/v2/${repository}/blobs/${digest}`), 404);
  }
  for (const subject of Object.keys(data.referrers ?? {})) {
    const answer = await client.request('GET', `/v2/${repository}/referrers/${subject}`);
    assert.deepEqual((JSON.parse(answer.body.toString()) as { manifests: unknown[] }).manifests, []);
  }
}

protocolTests('data types: push, list, HEAD, GET, referrers, delete', (check) => {
  for (const [name, make] of Object.entries(dataTypes)) {
    check(name, async (protocol) => {
      const step: Step = { ...protocol, repository: protocol.newRepository(), data: make() };
      await push(step);
      await listTags(step);
      await readManifests(step, 'HEAD');
      for (const blob of step.data.blobs) await assertStored(protocol, step.repository, blob);
      await readManifests(step, 'GET');
      await listReferrers(step);
      await remove(step);
    });
  }
});

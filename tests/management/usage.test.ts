import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type ClientAnswer, RegistryClient, contentOf, randomImage } from '@berth/testkit';
import { assertAnswered, managementTests, type Management } from './management-tests.ts';

interface UsageDocument {
  readonly sizeBytes: number;
  readonly blobs: number;
  readonly limitBytes: number;
  readonly lastDay: { readonly pulls: number; readonly pushes: number };
}

async function usageOf({ client }: Management): Promise<UsageDocument> {
  const answer = await client.request('GET', '/berth/v1/usage', { authorization: client.basic });
  assert.equal(answer.status, 200);
  return JSON.parse(answer.body.toString()) as UsageDocument;
}

const limitBytes = 1_000_000;
const image = 'application/vnd.oci.image.manifest.v1+json';

managementTests(
  'usage of a registry',
  (check) => {
    check('attack 46: fifty pushes at once fill a registry to its limit and never beyond', async (management) => {
      const { client } = management;
      const sizes = Array.from({ length: 50 }, (_, index) => 30_000 + index);
      const push = async (size: number): Promise<number> => {
        const { bytes, digest } = contentOf('application/octet-stream', randomBytes(size));
        const path = `/v2/full/blobs/uploads/?digest=${digest}`;
        const answer = await client.request('POST', path, {
          authorization: client.basic,
          body: bytes,
          headers: { 'content-type': 'application/octet-stream' },
        });
        if (answer.status === 405)
          assert.match(answer.body.toString(), /REGISTRY_DISALLOWED_OPERATION.*stores \d+ of the 1000000 bytes.*delete images/);
        return answer.status;
      };
      const statuses = await Promise.all(sizes.map(push));
      assert.deepEqual(
        [...new Set(statuses)].toSorted((a, b) => a - b),
        [201, 405],
      );
      const { sizeBytes, blobs } = await usageOf(management);
      assert.equal(blobs, statuses.filter((status) => status === 201).length);
      assert.ok(sizeBytes <= limitBytes && sizeBytes > limitBytes - 31_000, String(sizeBytes));
      assert.equal(await push(limitBytes - sizeBytes), 201, 'to the byte');
      assert.equal(await push(1), 405, 'and not one more');
      assert.equal((await usageOf(management)).sizeBytes, limitBytes);
    });

    check('the resource manager shows the same', async (management) => {
      const { manager } = management;
      const { value } = assertAnswered(await manager.call('GET', `${manager.provider('registries/local')}/listUsages`), 200)
        .json as { value: { name: string; limit: number; currentValue: number }[] };
      const { sizeBytes } = await usageOf(management);
      assert.deepEqual(
        value.find(({ name }) => name === 'Size'),
        { name: 'Size', limit: limitBytes, currentValue: sizeBytes, unit: 'Bytes' },
      );
    });
  },
  { settings: { planLimits: `{"Premium":{"storageBytes":${limitBytes}}}` } },
);

managementTests(
  'usage of a registry with large blobs',
  (check) => {
    check('attack 46: forty pushes at once of a third of the limit each: three fit', async (management) => {
      const { client } = management;
      const push = async (): Promise<number> => {
        const { bytes, digest } = contentOf('application/octet-stream', randomBytes(300_000));
        const answer = await client.request('POST', `/v2/large/blobs/uploads/?digest=${digest}`, {
          authorization: client.basic,
          body: bytes,
          headers: { 'content-type': 'application/octet-stream' },
        });
        return answer.status;
      };
      const statuses = await Promise.all(Array.from({ length: 40 }, push));
      assert.equal(statuses.filter((status) => status === 201).length, 3);
      assert.equal((await usageOf(management)).sizeBytes, 900_000);
    });

    check('manifests need room, too, and give it back', async (management) => {
      const { client } = management;
      const config = contentOf('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
      await client.pushBlob('manifests', config.bytes);
      const { mediaType, digest } = config;
      const put = (padding: number): Promise<ClientAnswer> => {
        const annotations = { padding: 'x'.repeat(padding) };
        const document = { schemaVersion: 2, mediaType: image, artifactType: 'a/b', config: { mediaType, digest, size: 2 } };
        return client.request('PUT', `/v2/manifests/manifests/v${padding}`, {
          authorization: client.basic,
          body: Buffer.from(JSON.stringify({ ...document, layers: [], annotations })),
          headers: { 'content-type': image },
        });
      };
      const before = (await usageOf(management)).sizeBytes;
      const first = await put(60_000);
      assert.equal(first.status, 201);
      const full = (await usageOf(management)).sizeBytes;
      assert.ok(full - before > 60_000 && full - before < 61_000, `${before} ${full}`);
      const refused = await put(60_001);
      assert.match(`${refused.status} ${refused.body.toString()}`, /^405 .*REGISTRY_DISALLOWED_OPERATION.*do not fit/);
      assert.equal((await put(60_000)).status, 201, 'what is there needs no room');
      const path = `/v2/manifests/manifests/${String(first.headers['docker-content-digest'])}`;
      assert.equal((await client.request('DELETE', path, { authorization: client.basic })).status, 202);
      assert.equal((await usageOf(management)).sizeBytes, before);
      assert.equal((await put(60_001)).status, 201);
    });
  },
  { settings: { planLimits: `{"Premium":{"storageBytes":${limitBytes}}}` } },
);

managementTests('traffic of a registry', (check) => {
  check('pulls and pushes are counted, and asking whether something is there is no pull', async (management) => {
    const { client, url } = management;
    await client.pushImage('counted', randomImage(), 'v1');
    await client.pull('counted', 'manifests', 'v1');
    await client.pull('counted', 'manifests', 'v1');
    using other = new RegistryClient({ url, username: 'x', password: 'y' });
    assert.equal((await client.request('HEAD', '/v2/counted/manifests/v1')).status, 200);
    assert.equal((await other.request('GET', '/v2/counted/manifests/v1', { authorization: 'none' })).status, 401);
    const metrics = (await client.request('GET', '/metrics', { authorization: 'none' })).body.toString();
    assert.match(metrics, /^berth_pulls_total 2$/m);
    assert.match(metrics, /^berth_pushes_total 1$/m);
  });
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  type Content,
  ManagerClient,
  RegistryClient,
  contentOf,
  randomImage,
  randomIndex,
  readOwner,
  startRegistry,
} from '@berth/testkit';
import { AcrCliClient } from './acr-cli-client.ts';

const everything = /^.*$/;
const future = (): number => Date.now() + 60_000;

/** A manifest that refers to another, as signatures do. */
function referrerOf(subject: Content, config: Content): Content {
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const describe = ({ mediaType, digest, bytes }: Content): object => ({ mediaType, digest, size: bytes.length });
  const manifest = { schemaVersion: 2, mediaType: type, config: describe(config), layers: [], subject: describe(subject) };
  return contentOf(type, Buffer.from(JSON.stringify(manifest)));
}

test('the requests of acr-cli, by password and by refresh token', async (t) => {
  const registry = await startRegistry();
  const client = new RegistryClient({ ...registry, scheme: 'basic' });
  t.after(async () => {
    client[Symbol.dispose]();
    await registry.stop();
  });

  /** As `az acr login --expose-token` does with the token of a service principal. */
  async function signIn(): Promise<AcrCliClient> {
    using manager = new ManagerClient(registry.url, await readOwner(registry.dataDir));
    const form = { grant_type: 'access_token', service: registry.host, access_token: await manager.token() };
    const answer = await client.request('POST', '/oauth2/exchange', {
      authorization: 'none',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
    const { refresh_token: refreshToken } = JSON.parse(answer.body.toString()) as { refresh_token?: string };
    assert.ok(refreshToken !== undefined, answer.body.toString());
    return AcrCliClient.withRefreshToken(client, registry.host, refreshToken);
  }

  for (const [name, cli] of [
    ['password', AcrCliClient.withPassword(client)],
    ['refresh token', await signIn()],
  ] as const) {
    const folder = `cli-${randomUUID()}`;
    const inFolder = new RegExp(`^${folder}/`);

    await t.test(`${name}: lists more repositories, tags and manifests than a page has`, async () => {
      const image = randomImage();
      const repository = `${folder}/many`;
      await client.pushImage(repository, image, 't000');
      for (let count = 1; count < 105; count += 1)
        await client.pushManifest(repository, image.manifest, `t${String(count).padStart(3, '0')}`);
      assert.equal((await cli.tags(repository)).length, 105);
      assert.equal(new Set((await cli.tags(repository, 'timedesc')).map((tag) => tag.name)).size, 105);
      const manifests = await cli.manifests(repository);
      assert.deepEqual(
        manifests.map(({ digest, tags }) => [digest, tags?.length]),
        [[image.manifest.digest, 105]],
      );
      assert.ok((await cli.repositories()).includes(repository));
      const purged = await cli.purge({ repository: inFolder, tags: /^t0/, olderThan: future(), keep: 3 });
      assert.equal(purged.tags.length, 97);
      assert.equal((await cli.tags(repository)).length, 8);
    });

    await t.test(`${name}: untags and deletes by name, and hears of what is not there`, async () => {
      const image = randomImage();
      const repository = `${folder}/single`;
      await client.pushImage(repository, image, 'a');
      await client.pushManifest(repository, image.manifest, 'b');
      assert.equal(await cli.untag(repository, 'a'), 202);
      assert.equal(await cli.untag(repository, 'a'), 404);
      assert.equal(await cli.deleteManifest(repository, image.manifest.digest), 202);
      assert.equal(await cli.deleteManifest(repository, image.manifest.digest), 404);
      const gone = await client.request('GET', `/acr/v1/${repository}/_tags?n=100&orderby=timedesc`);
      assert.equal(gone.status, 404, 'a repository that is gone is told as such');
    });

    await t.test(`${name}: purges untagged manifests, and spares locks, children and referrers`, async () => {
      const repository = `${folder}/mixed`;
      const [kept, dropped, locked, index] = [randomImage(), randomImage(), randomImage(), randomIndex()];
      for (const [image, tag] of [
        [kept, 'keep'],
        [dropped, 'old-1'],
        [locked, 'old-locked'],
      ] as const)
        await client.pushImage(repository, image, tag);
      await client.pushIndex(repository, index, 'keep-index');
      const signature = referrerOf(kept.manifest, kept.config);
      await client.pushManifest(repository, signature, signature.digest);
      const lock = await client.request('PATCH', `/acr/v1/${repository}/_tags/old-locked`, {
        body: '{"deleteEnabled":false}',
      });
      assert.equal(lock.status, 200);
      const options = { repository: inFolder, tags: /^old/, olderThan: future(), untagged: true };
      const purged = await cli.purge(options);
      assert.deepEqual(purged, { tags: ['old-1'], manifests: [dropped.manifest.digest] });
      const left = new Set((await cli.manifests(repository)).map(({ digest }) => digest));
      for (const digest of [
        kept.manifest.digest,
        signature.digest,
        locked.manifest.digest,
        index.manifest.digest,
        ...index.images.map((image) => image.manifest.digest),
      ])
        assert.ok(left.has(digest), digest);
      const forced = await cli.purge({ ...options, includeLocked: true });
      assert.deepEqual(forced, { tags: ['old-locked'], manifests: [locked.manifest.digest] });
    });

    await t.test(`${name}: what is younger than it asks for stays`, async () => {
      const repository = `${folder}/young`;
      await client.pushImage(repository, randomImage(), 'v1');
      const purged = await cli.purge({ repository: inFolder, tags: everything, olderThan: Date.now() - 60_000, untagged: true });
      assert.deepEqual(purged, { tags: [], manifests: [] });
    });
  }
});

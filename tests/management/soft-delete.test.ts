import assert from 'node:assert/strict';
import { type ClientAnswer, type RandomImage, randomImage, randomIndex } from '@berth/testkit';
import { assertAnswered, managementTests, type Management } from './management-tests.ts';

async function keepDeleted({ manager }: Management, status: 'enabled' | 'disabled'): Promise<void> {
  const properties = { policies: { softDeletePolicy: { status, retentionDays: 5 } } };
  assertAnswered(await manager.call('PATCH', manager.provider('registries/local'), { properties }), 200);
}

function json(answer: ClientAnswer): Record<string, unknown> {
  return JSON.parse(answer.body.toString()) as Record<string, unknown>;
}

interface DeletedTag {
  readonly tag: string;
  readonly digest: string;
  readonly deletedAt: string;
}

async function ask({ client }: Management, method: string, path: string, body?: object): Promise<ClientAnswer> {
  return client.request(method, path, { authorization: client.basic, ...(body !== undefined && { body: JSON.stringify(body) }) });
}

async function statusesOf(management: Management, repository: string, image: RandomImage, tag: string): Promise<number[]> {
  const paths = [`manifests/${tag}`, `manifests/${image.manifest.digest}`];
  const statuses: number[] = [];
  for (const path of paths) statuses.push((await ask(management, 'GET', `/v2/${repository}/${path}`)).status);
  return statuses;
}

managementTests('soft delete (acr-api 6.3)', (check) => {
  check('a deleted manifest is gone for everybody, is listed as deleted, and comes back as it was', async (management) => {
    await keepDeleted(management, 'enabled');
    const { client, newName } = management;
    const repository = `bin/${newName()}`;
    const image = randomImage();
    await client.pushImage(repository, image, 'v1');
    await client.pushManifest(repository, image.manifest, 'v2');
    assert.equal(
      (await ask(management, 'PATCH', `/acr/v1/${repository}/_manifests/${image.manifest.digest}`, { listEnabled: false }))
        .status,
      200,
    );
    assert.equal((await ask(management, 'DELETE', `/v2/${repository}/manifests/${image.manifest.digest}`)).status, 202);
    assert.deepEqual(await statusesOf(management, repository, image, 'v1'), [404, 404]);
    assert.equal((await ask(management, 'GET', `/acr/v1/${repository}`)).status, 404, 'the emptied repository is not listed');
    assert.ok((json(await ask(management, 'GET', '/acr/v1/_deleted/_catalog'))['repositories'] as string[]).includes(repository));
    const [deleted] = json(await ask(management, 'GET', `/acr/v1/_deleted/${repository}/_manifests`))['manifests'] as [
      { digest: string; tags: string[] },
    ];
    assert.deepEqual([deleted.digest, deleted.tags], [image.manifest.digest, ['v1', 'v2']]);
    const tags = json(await ask(management, 'GET', `/acr/v1/_deleted/${repository}/_tags`))['tags'] as DeletedTag[];
    assert.deepEqual(
      tags.map((each) => [each.tag, each.digest]),
      [
        ['v1', image.manifest.digest],
        ['v2', image.manifest.digest],
      ],
    );
    const path = `/acr/v1/_deleted/${repository}/_manifests/${image.manifest.digest}`;
    assert.equal((await ask(management, 'POST', path, { tag: 'v1' })).status, 200);
    assert.ok((await client.pull(repository, 'manifests', 'v1')).equals(image.manifest.bytes));
    for (const { digest, bytes } of [image.config, ...image.layers])
      assert.ok((await client.pull(repository, 'blobs', digest)).equals(Buffer.from(bytes)));
    assert.equal((await ask(management, 'GET', `/v2/${repository}/manifests/v2`)).status, 404, 'one tag was asked for');
    const shown = json(await ask(management, 'GET', `/acr/v1/${repository}/_manifests/${image.manifest.digest}`)) as {
      manifest: { changeableAttributes: { listEnabled: boolean } };
    };
    assert.equal(shown.manifest.changeableAttributes.listEnabled, false, 'with its attributes');
    assert.equal((await ask(management, 'POST', path, {})).status, 200);
    assert.deepEqual(await statusesOf(management, repository, image, 'v2'), [200, 200]);
    const { manifestCount, tagCount } = json(await ask(management, 'GET', `/acr/v1/${repository}`));
    assert.deepEqual([manifestCount, tagCount], [1, 2]);
    assert.deepEqual(json(await ask(management, 'GET', `/acr/v1/_deleted/${repository}/_manifests`))['manifests'], []);
  });

  check('a deleted repository comes back with indexes, images and referrers', async (management) => {
    const { client, newName } = management;
    const repository = `bin/${newName()}`;
    const index = randomIndex();
    await client.pushIndex(repository, index, 'multi');
    const answer = await ask(management, 'DELETE', `/acr/v1/${repository}`);
    assert.equal(answer.status, 202);
    assert.equal((json(answer)['manifestsDeleted'] as string[]).length, 1 + index.images.length);
    assert.deepEqual(json(answer)['tagsDeleted'], ['multi']);
    assert.equal((await ask(management, 'GET', `/v2/${repository}/manifests/multi`)).status, 404);
    assert.equal(
      (await ask(management, 'POST', `/acr/v1/_deleted/${repository}/_manifests/${index.manifest.digest}`, {})).status,
      200,
    );
    assert.ok((await client.pull(repository, 'manifests', 'multi')).equals(index.manifest.bytes));
    for (const { manifest } of index.images)
      assert.ok((await client.pull(repository, 'manifests', manifest.digest)).equals(manifest.bytes));
  });

  check('an untagged tag is restored; one that names something else now moves only by force', async (management) => {
    const { client, newName } = management;
    const repository = `bin/${newName()}`;
    const [old, fresh] = [randomImage(), randomImage()];
    await client.pushImage(repository, old, 'v1');
    assert.equal((await ask(management, 'DELETE', `/acr/v1/${repository}/_tags/v1`)).status, 202);
    await client.pushImage(repository, fresh, 'v1');
    const path = `/acr/v1/_deleted/${repository}/_manifests/${old.manifest.digest}`;
    const refused = await ask(management, 'POST', path, { tag: 'v1' });
    assert.equal(refused.status, 409);
    assert.match(refused.body.toString(), /force=true/);
    assert.deepEqual(await statusesOf(management, repository, fresh, 'v1'), [200, 200]);
    assert.equal((await ask(management, 'PATCH', `/acr/v1/${repository}/_tags/v1`, { writeEnabled: false })).status, 200);
    assert.equal((await ask(management, 'POST', `${path}?force=true`, { tag: 'v1' })).status, 405, 'attack 17: a lock holds');
    assert.equal((await ask(management, 'PATCH', `/acr/v1/${repository}/_tags/v1`, { writeEnabled: true })).status, 200);
    assert.equal((await ask(management, 'POST', `${path}?force=true`, { tag: 'v1' })).status, 200);
    assert.ok((await client.pull(repository, 'manifests', 'v1')).equals(old.manifest.bytes));
  });

  check('a digest that is pushed again is live again, and leaves the bin', async (management) => {
    const { client, newName } = management;
    const repository = `bin/${newName()}`;
    const image = randomImage();
    await client.pushImage(repository, image, 'v1');
    assert.equal((await ask(management, 'DELETE', `/v2/${repository}/manifests/${image.manifest.digest}`)).status, 202);
    await client.pushImage(repository, image, 'v3');
    assert.deepEqual(json(await ask(management, 'GET', `/acr/v1/_deleted/${repository}/_manifests`))['manifests'], []);
    assert.equal((await ask(management, 'DELETE', `/v2/${repository}/manifests/${image.manifest.digest}`)).status, 202);
    const path = `/acr/v1/_deleted/${repository}/_manifests/${image.manifest.digest}`;
    assert.equal((await ask(management, 'DELETE', path)).status, 202, 'purged by hand');
    for (const method of ['POST', 'DELETE']) assert.equal((await ask(management, method, path, {})).status, 404);
  });

  check('lists go on over pages', async (management) => {
    const { client, newName } = management;
    const repository = `bin/${newName()}`;
    for (const tag of ['a', 'b', 'c']) await client.pushImage(repository, randomImage(), tag);
    assert.equal((await ask(management, 'DELETE', `/acr/v1/${repository}`)).status, 202);
    for (const [list, key] of [
      ['_manifests', 'manifests'],
      ['_tags', 'tags'],
    ] as const) {
      const seen: unknown[] = [];
      let next: string | undefined = `/acr/v1/_deleted/${repository}/${list}?n=2`;
      while (next !== undefined) {
        const answer = await ask(management, 'GET', next);
        seen.push(...(json(answer)[key] as unknown[]));
        next = /^<([^>]+)>/.exec(String(answer.headers['link']))?.[1];
      }
      assert.equal(seen.length, 3, list);
    }
  });

  check('without the policy a delete is for good', async (management) => {
    await keepDeleted(management, 'disabled');
    const { client, newName } = management;
    const repository = `bin/${newName()}`;
    await client.pushImage(repository, randomImage(), 'v1');
    assert.equal((await ask(management, 'DELETE', `/acr/v1/${repository}`)).status, 202);
    assert.deepEqual(json(await ask(management, 'GET', `/acr/v1/_deleted/${repository}/_manifests`))['manifests'], []);
  });
});

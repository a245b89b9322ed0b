import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  RegistryClient,
  type StartedRegistry,
  contentOf,
  descriptorOf,
  forEachEngine,
  randomImage,
  randomIndex,
  startRegistry,
} from '@berth/testkit';
import { openTestImports } from './test-imports.ts';

let source: StartedRegistry;
let client: RegistryClient;

before(async () => {
  source = await startRegistry();
  client = new RegistryClient(source);
});

after(async () => {
  client[Symbol.dispose]();
  await source.stop();
});

function from(): { readonly registryUri: string; readonly credentials: { username: string; password: string } } {
  return { registryUri: source.host, credentials: { username: source.username, password: source.password } };
}

forEachEngine((engine) => {
  test('an image of two platforms comes with all that refers to it', async (t) => {
    const target = await openTestImports(engine, t);
    const index = randomIndex({ layerBytes: 200_000 });
    await client.pushIndex('app', index, 'v1');
    const [platform] = index.images;
    assert.ok(platform !== undefined);
    const signature = randomImage({
      layers: 1,
      fields: { subject: descriptorOf(index.manifest), artifactType: 'test/signature' },
    });
    const sbom = randomImage({ layers: 1, fields: { subject: descriptorOf(platform.manifest), artifactType: 'test/sbom' } });
    const sbomSignature = randomImage({ layers: 0, fields: { subject: descriptorOf(sbom.manifest) } });
    const stranger = randomImage();
    for (const image of [signature, sbom, sbomSignature, stranger]) await client.pushImage('app', image);

    const run = await target.import({
      source: from(),
      sourceImage: 'app:v1',
      targetTags: ['team/app:v1', 'team/app:v2', 'other'],
    });
    for (const repository of ['team/app', 'other']) {
      await target.requireManifest(repository, index.manifest);
      for (const image of [...index.images, signature, sbom, sbomSignature]) await target.requireImage(repository, image);
    }
    for (const tag of ['team/app:v1', 'team/app:v2', 'other:v1']) assert.equal(await target.tag(tag), index.manifest.digest);
    const registryId = target.registry.id;
    assert.equal(await target.catalog.find({ registryId, repository: 'other', reference: stranger.manifest.digest }), undefined);
    assert.equal(run.progress.manifestsTotal, 6);
    assert.equal(run.progress.manifestsDone, 6);
    assert.equal(run.progress.bytesDone, run.progress.bytesTotal);
    assert.ok(run.progress.bytesTotal > 800_000);
  });

  test('what the target has is not fetched, and a second import changes nothing', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage();
    await client.pushImage('again', image, 'v1');
    await target.import({ source: from(), sourceImage: 'again:v1' });
    await target.import({ source: from(), sourceImage: `again@${image.manifest.digest}`, targetTags: ['copy:v1', 'copy:v2'] });
    assert.equal(await target.tag('copy:v2'), image.manifest.digest);
  });

  test('attack 17: a tag moves only with Force', async (t) => {
    const target = await openTestImports(engine, t);
    const [old, young] = [randomImage(), randomImage()];
    await client.pushImage('moving', old, 'v1');
    await target.import({ source: from(), sourceImage: 'moving:v1' });
    await client.pushImage('moving', young, 'v1');
    const refused = await target.refuse({ source: from(), sourceImage: 'moving:v1' }, 'CONFLICT');
    assert.equal(refused.error?.target, 'targetTags');
    assert.match(refused.error?.message ?? '', /copy.*Force/);
    assert.equal(await target.tag('copy:v1'), old.manifest.digest);
    await target.import({ source: from(), sourceImage: 'moving:v1', mode: 'Force' });
    assert.equal(await target.tag('copy:v1'), young.manifest.digest);
  });

  test('attack 17: a push that must not move tags leaves all of them where they are', async (t) => {
    const { catalog, registry, push, tag } = await openTestImports(engine, t);
    const [one, other] = [randomImage(), randomImage()];
    await push(registry, 'app', one, ['v1']);
    const { digest, bytes, mediaType } = other.manifest;
    await push(registry, 'app', other, []);
    const name = { registryId: registry.id, repository: 'app', digest: digest as never, bytes, mediaType, mayMoveTags: false };
    await assert.rejects(catalog.push({ ...name, tags: ['v0', 'v1'] }), { error: 'CONFLICT' });
    assert.equal(await tag('app:v0'), undefined);
    await catalog.push({ ...name, tags: ['v2'] });
    await catalog.push({ ...name, tags: ['v2', 'v3'] });
    assert.equal(await tag('app:v3'), digest);
    assert.equal(await tag('app:v1'), one.manifest.digest);
  });

  test('attack 17: a locked tag does not move, not even with Force', async (t) => {
    const target = await openTestImports(engine, t);
    const [old, young] = [randomImage(), randomImage()];
    await client.pushImage('locked', old, 'v1');
    await client.pushImage('locked', young, 'v2');
    await target.import({ source: from(), sourceImage: 'locked:v1', targetTags: ['copy:kept'] });
    await target.lockTag('kept');
    const move = { source: from(), sourceImage: 'locked:v2', targetTags: ['copy:kept', 'copy:new'], mode: 'Force' };
    await target.refuse(move, 'REGISTRY_DISALLOWED_OPERATION');
    assert.equal(await target.tag('copy:kept'), old.manifest.digest);
    assert.equal(await target.tag('copy:new'), undefined);
    await target.import({ source: from(), sourceImage: 'locked:v1', targetTags: ['copy:kept'] });
  });

  test('only the manifest can be wanted, without a tag', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage({ layers: 1, layerBytes: 0 });
    await client.pushImage('untagged', image, 'latest');
    await target.import({ source: from(), sourceImage: 'untagged', targetTags: [], untaggedTargetRepositories: ['copy'] });
    await target.requireImage('copy', image);
    assert.equal(await target.tag('copy:latest'), undefined);
  });

  test('from another registry of the deployment, with the rights of the credentials', async (t) => {
    const target = await openTestImports(engine, t);
    const neighbour = await target.addRegistry();
    const image = randomImage({ layerBytes: 300_000 });
    await target.push(neighbour, 'app', image, ['v1']);
    const byName = { registryUri: neighbour.loginServer, credentials: { username: 'reader', password: 'x' } };
    const refused = await target.refuse({ source: byName, sourceImage: 'app:v1' }, 'INVALID_PARAMETER');
    assert.equal(refused.error?.target, 'source.credentials');
    target.mayPull = (registry, username) => registry === neighbour && username === 'reader';
    await target.import({ source: byName, sourceImage: 'app:v1' });
    await target.requireImage('copy', image);
    await target.import({ source: { registry: neighbour }, sourceImage: 'app:v1', targetTags: ['second:v1'] });
    await target.requireImage('second', image);
    const missing = await target.refuse({ source: { registry: neighbour }, sourceImage: 'app:v2' }, 'MANIFEST_UNKNOWN');
    assert.match(missing.error?.message ?? '', /v2/);
  });

  test('a registry whose export policy is disabled is no source for others', async (t) => {
    const target = await openTestImports(engine, t);
    const { policies } = target.registry;
    const closed = await target.addRegistry({ policies: { ...policies, isExportEnabled: false } });
    const image = randomImage();
    await target.push(closed, 'app', image, ['v1']);
    await target.refuse({ source: { registry: closed }, sourceImage: 'app:v1' }, 'INVALID_PARAMETER');
    await target.import({ registry: closed, source: { registry: closed }, sourceImage: 'app:v1' });
    await target.requireImage('copy', image, closed);
  });

  test('what is in quarantine is no source, not even for its own registry', async (t) => {
    const target = await openTestImports(engine, t);
    const { policies } = target.registry;
    const closed = await target.addRegistry({ policies: { ...policies, isQuarantineEnabled: true } });
    const image = randomImage();
    await target.push(closed, 'app', image, ['v1']);
    const refused = [
      ['app:v1', 'MANIFEST_UNKNOWN'],
      [`app@${image.manifest.digest}`, 'REGISTRY_DISALLOWED_OPERATION'],
    ] as const;
    for (const registry of [closed, target.registry])
      for (const [sourceImage, error] of refused)
        await target.refuse({ registry, source: { registry: closed }, sourceImage }, error);
  });

  test('within one registry nothing is copied, blobs are linked', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage({ layerBytes: 100_000 });
    await target.push(target.registry, 'app', image, ['v1']);
    await target.import({ source: { registry: target.registry }, sourceImage: 'app:v1' });
    await target.requireImage('copy', image);
  });

  test('layers that may lie elsewhere come along if the source has them', async (t) => {
    const target = await openTestImports(engine, t);
    const type = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
    const [present, absent] = [contentOf(type, Buffer.from('here')), contentOf(type, Buffer.from('elsewhere'))];
    const layers = [descriptorOf(present), { ...descriptorOf(absent), urls: ['http://169.254.169.254/latest'] }];
    const image = randomImage({ layers: 0, fields: { layers } });
    await client.pushBlob('foreign', present.bytes);
    await client.pushImage('foreign', image, 'v1');
    await target.import({ source: from(), sourceImage: 'foreign:v1' });
    const name = { registryId: target.registry.id, repository: 'copy' };
    assert.equal(await target.blobs.has({ ...name, digest: present.digest as never }), true);
    assert.equal(await target.blobs.has({ ...name, digest: absent.digest as never }), false);
  });
});

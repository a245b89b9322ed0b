import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { ContainerRegistryClient, ContainerRegistryContentClient, type OciImageManifest } from '@azure/container-registry';
import { digestOf } from '@berth/testkit';
import { all, useSdkTarget } from './azure-sdk-target.ts';

/** `@azure/container-registry`, unmodified: the data plane. */
const target = useSdkTarget();
const audience = 'https://containerregistry.azure.net';

function contentClient(repository: string): ContainerRegistryContentClient {
  const { registry, credential } = target();
  return new ContainerRegistryContentClient(registry.url, repository, credential(), { audience });
}

/** Pushes an image of one layer under a tag; returns the digests of manifest and layer. */
async function pushImage(
  repository: string,
  tag: string,
  layer = randomBytes(100),
): Promise<{ readonly digest: string; readonly layer: string }> {
  const client = contentClient(repository);
  const config = await client.uploadBlob(Buffer.from('{}'));
  const uploaded = await client.uploadBlob(Readable.from([layer]));
  const manifest: OciImageManifest = {
    schemaVersion: 2,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.sizeInBytes },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: uploaded.digest, size: uploaded.sizeInBytes }],
  };
  const { digest } = await client.setManifest(manifest, { tag });
  return { digest, layer: uploaded.digest };
}

function statusOf(error: unknown): unknown {
  return (error as { statusCode?: unknown }).statusCode;
}

function namesOf(pages: readonly (readonly { readonly name: string }[])[]): string[][] {
  return pages.map((page) => page.map((each) => each.name));
}

test('content goes in and out in chunks, verified', async () => {
  const client = contentClient('content/a');
  // Three chunks of the client, the last of them short.
  const layer = randomBytes(9 * 2 ** 20 + 17);
  const { digest, layer: layerDigest } = await pushImage('content/a', 'v1', layer);
  assert.equal(layerDigest, digestOf(layer));
  const { content } = await client.downloadBlob(layerDigest);
  assert.ok((await buffer(content)).equals(layer));
  const byTag = await client.getManifest('v1');
  assert.equal(byTag.digest, digest);
  assert.equal(byTag.mediaType, 'application/vnd.oci.image.manifest.v1+json');
  assert.deepEqual((await client.getManifest(digest)).content, byTag.content);
  await client.deleteManifest(digest);
  await assert.rejects(client.getManifest('v1'), (error) => statusOf(error) === 404);
  await client.deleteBlob(layerDigest);
  await client.deleteBlob(layerDigest);
});

test('repositories, manifests and tags are listed, shown, changed and deleted', async () => {
  const { registry, credential } = target();
  // The audience of the resource manager is taken, too.
  const client = new ContainerRegistryClient(registry.url, credential(), { audience: 'https://management.azure.com' });
  const first = await pushImage('listed/a', 'v1');
  const second = await pushImage('listed/a', 'v2');
  await pushImage('listed/b', 'v1');
  const names = await all(client.listRepositoryNames());
  assert.deepEqual(
    names.filter((name) => name.startsWith('listed/')),
    ['listed/a', 'listed/b'],
  );
  const repository = client.getRepository('listed/a');
  const properties = await repository.getProperties();
  assert.deepEqual([properties.name, properties.manifestCount, properties.tagCount], ['listed/a', 2, 2]);
  assert.ok(properties.createdOn instanceof Date && properties.lastUpdatedOn instanceof Date);
  assert.equal((await repository.updateProperties({ canDelete: false })).canDelete, false);
  await assert.rejects(client.deleteRepository('listed/a'), (error) => statusOf(error) === 405);
  await repository.updateProperties({ canDelete: true });
  const newest = await all(repository.listManifestProperties({ order: 'LastUpdatedOnDescending' }));
  assert.deepEqual(
    newest.map((each) => each.digest),
    [second.digest, first.digest],
  );
  const artifact = repository.getArtifact('v1');
  const manifest = await artifact.getManifestProperties();
  assert.deepEqual([manifest.digest, manifest.tags, manifest.canRead], [first.digest, ['v1'], true]);
  assert.ok(manifest.createdOn instanceof Date && manifest.lastUpdatedOn instanceof Date && Number(manifest.sizeInBytes) > 0);
  assert.equal((await artifact.updateManifestProperties({ canWrite: false })).canWrite, false);
  await assert.rejects(repository.getArtifact(first.digest).delete(), (error) => statusOf(error) === 405);
  await artifact.updateManifestProperties({ canWrite: true });
  // The client asks for the tags of the repository, whatever the artifact.
  assert.deepEqual(
    (await all(artifact.listTagProperties())).map((each) => each.name),
    ['v1', 'v2'],
  );
  assert.equal((await artifact.getTagProperties('v1')).digest, first.digest);
  assert.equal((await artifact.updateTagProperties('v1', { canDelete: false })).canDelete, false);
  await assert.rejects(artifact.deleteTag('v1'), (error) => statusOf(error) === 405);
  await artifact.updateTagProperties('v1', { canDelete: true });
  await artifact.deleteTag('v1');
  await assert.rejects(artifact.getTagProperties('v1'), (error) => statusOf(error) === 404);
  await repository.getArtifact(first.digest).delete();
  await client.deleteRepository('listed/a');
  await client.deleteRepository('listed/a');
  await assert.rejects(repository.getProperties(), (error) => statusOf(error) === 404);
});

test('lists go on over pages, in the order that was asked for', async () => {
  const { registry, credential } = target();
  const client = new ContainerRegistryClient(registry.url, credential(), { audience });
  for (const tag of ['a', 'b', 'c', 'd', 'e']) await pushImage('paged', tag);
  const repository = client.getRepository('paged');
  const artifact = client.getArtifact('paged', 'a');
  const ascending = [['a', 'b'], ['c', 'd'], ['e']];
  const descending = [['e', 'd'], ['c', 'b'], ['a']];
  for (const [order, expected] of [
    ['LastUpdatedOnAscending', ascending],
    ['LastUpdatedOnDescending', descending],
  ] as const) {
    const tags = await all(artifact.listTagProperties({ order }).byPage({ maxPageSize: 2 }));
    assert.deepEqual(namesOf(tags), expected);
    const manifests = await all(repository.listManifestProperties({ order }).byPage({ maxPageSize: 2 }));
    assert.deepEqual(
      manifests.map((page) => page.flatMap((each) => each.tags)),
      expected,
    );
  }
  const first = await artifact.listTagProperties().byPage({ maxPageSize: 2 }).next();
  const continuationToken = (first.value as { continuationToken?: string } | undefined)?.continuationToken ?? '';
  assert.deepEqual(namesOf(await all(artifact.listTagProperties().byPage({ continuationToken }))), [['c', 'd'], ['e']]);
  const names = await all(client.listRepositoryNames().byPage({ maxPageSize: 1 }));
  assert.ok(names.length > 1 && names.every((page) => page.length === 1));
});

test('more tags than one page holds are all listed', async () => {
  const { registry, credential } = target();
  const client = new ContainerRegistryClient(registry.url, credential(), { audience });
  const { digest } = await pushImage('many', 'v000');
  const content = contentClient('many');
  const manifest = (await content.getManifest(digest)).content;
  const expected = Array.from({ length: 130 }, (_, index) => `v${String(index).padStart(3, '0')}`);
  for (const tag of expected.slice(1)) assert.equal((await content.setManifest(manifest, { tag })).digest, digest);
  const pages = await all(client.getArtifact('many', digest).listTagProperties().byPage());
  assert.ok(pages.length > 1, `${pages.length} pages`);
  assert.deepEqual(namesOf(pages).flat(), expected);
  const { manifestCount, tagCount } = await client.getRepository('many').getProperties();
  assert.deepEqual([manifestCount, tagCount], [1, expected.length]);
});

test('without credentials only what anybody may', async () => {
  const { arm, registry } = target();
  await pushImage('open', 'v1');
  const anonymous = new ContainerRegistryClient(registry.url, { audience });
  const ask = () => anonymous.getRepository('open').getProperties();
  await assert.rejects(ask(), (error) => statusOf(error) === 401);
  await arm.registries.update('berth', 'local', { anonymousPullEnabled: true });
  assert.equal((await ask()).name, 'open');
  await assert.rejects(anonymous.deleteRepository('open'), (error) => statusOf(error) === 401);
  await arm.registries.update('berth', 'local', { anonymousPullEnabled: false });
});

test('a registry may take only tokens that were made for registries', async () => {
  const { arm, registry, credential } = target();
  await arm.registries.update('berth', 'local', { policies: { azureADAuthenticationAsArmPolicy: { status: 'disabled' } } });
  const byManagement = new ContainerRegistryClient(registry.url, credential(), { audience: 'https://management.azure.com' });
  await assert.rejects(all(byManagement.listRepositoryNames()), (error) => statusOf(error) === 401);
  const byRegistry = new ContainerRegistryClient(registry.url, credential(), { audience });
  assert.ok((await all(byRegistry.listRepositoryNames())).length > 0);
  await arm.registries.update('berth', 'local', { policies: { azureADAuthenticationAsArmPolicy: { status: 'enabled' } } });
});

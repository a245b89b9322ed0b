import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { Fact } from '@berth/api';
import { parseDigest } from '@berth/oci';
import type { Content, RandomImage } from '@berth/testkit';
import type { Blobs } from '../../blobs/index.ts';
import type { Catalog } from '../../catalog/index.ts';
import { nextStamp } from './test-parts.ts';

interface Place {
  readonly name: string;
  readonly registryId: number;
  readonly facts: Map<string, readonly Fact[]>;
  readonly blobs: Blobs;
  readonly catalog: Catalog;
}

const { signal } = new AbortController();

/** How content comes into a region, and is looked at. */
export function contentOf({ name, registryId, facts, blobs, catalog }: Place) {
  const place = (repository: string) => ({ registryId, repository });

  const tell = (repository: string, manifest: Content, tags: readonly string[]): readonly Fact[] => {
    const stamp = nextStamp(name);
    const { mediaType, bytes, digest } = manifest;
    const content = { mediaType, sizeBytes: bytes.length, bytes: bytes.toString('base64') };
    const told: Fact = { kind: 'manifest', repository, name: digest, set: stamp, content };
    facts.set(`${repository}@${digest}`, [told]);
    const named = tags.map((tag): Fact => ({ kind: 'tag', repository, name: tag, set: { ...stamp, digest } }));
    for (const tag of named) facts.set(`${repository}@${tag.name}`, [told, tag]);
    return [told, ...named];
  };

  const pushManifest = async (
    repository: string,
    { digest, bytes, mediaType }: Content,
    tags: readonly string[] = [],
  ): Promise<readonly Fact[]> => {
    await catalog.push({ ...place(repository), digest: parseDigest(digest), bytes, mediaType, tags, mayMoveTags: true });
    return tell(repository, { digest, bytes, mediaType }, tags);
  };

  const push = async (repository: string, image: RandomImage, tags: readonly string[] = []): Promise<readonly Fact[]> => {
    for (const { digest, bytes } of [image.config, ...image.layers]) {
      // What is stored is sealed in place.
      const body = Readable.from([Buffer.from(bytes)], { objectMode: false });
      const blob = { ...place(repository), digest: parseDigest(digest), principalId: 'admin:test' };
      await blobs.upload({ ...blob, body, sizeBytes: bytes.length, signal });
    }
    return pushManifest(repository, image.manifest, tags);
  };

  const requireImage = async (repository: string, image: RandomImage): Promise<void> => {
    const reference = image.manifest.digest;
    const found = await catalog.read({ ...place(repository), reference, hidesQuarantined: false });
    assert.ok(found.bytes.equals(image.manifest.bytes));
    for (const { digest, bytes } of [image.config, ...image.layers]) {
      const chunks: Buffer[] = [];
      const blob = { ...place(repository), digest: parseDigest(digest) };
      for await (const chunk of blobs.open(blob, signal)) chunks.push(Buffer.from(chunk));
      assert.ok(Buffer.concat(chunks).equals(bytes), digest);
    }
  };

  const resolve = (repository: string, reference: string): readonly Fact[] | undefined => facts.get(`${repository}@${reference}`);
  return { pushManifest, push, requireImage, resolve };
}

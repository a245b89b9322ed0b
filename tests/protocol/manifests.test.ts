import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { maxManifestBytes, mediaTypes } from '@berth/oci';
import { type Content, contentOf, descriptorOf, digestOf, randomBytesOf, randomImage, randomIndex } from '@berth/testkit';
import { type Protocol, assertError, assertStatus, locationOf, protocolTests } from './protocol-tests.ts';

const put = (
  { client }: Protocol,
  repository: string,
  reference: string,
  { bytes, mediaType }: Pick<Content, 'bytes' | 'mediaType'>,
) => client.request('PUT', `/v2/${repository}/manifests/${reference}`, { body: bytes, headers: { 'content-type': mediaType } });

/** An empty index, padded to an exact size: nothing else must be there for it. */
function indexOfSize(sizeBytes: number): Content {
  const make = (padding: number) =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [],
        annotations: { padding: 'x'.repeat(padding) },
      }),
    );
  return contentOf(mediaTypes.ociIndex, make(sizeBytes - make(0).length));
}

protocolTests('manifests', (check) => {
  check('a manifest that is not there is 404, by tag and by digest', async ({ client, newRepository }) => {
    const repository = newRepository();
    await client.pushImage(repository, randomImage());
    for (const reference of [
      digestOf(randomBytesOf(8)),
      digestOf(randomBytesOf(8), 'sha512'),
      'missing-tag',
      'Latest',
      'a'.repeat(128),
    ]) {
      assertError(await client.request('GET', `/v2/${repository}/manifests/${reference}`), 404, 'MANIFEST_UNKNOWN');
      assertStatus(await client.request('HEAD', `/v2/${repository}/manifests/${reference}`), 404);
      assertError(await client.request('DELETE', `/v2/${repository}/manifests/${reference}`), 404, 'MANIFEST_UNKNOWN');
    }
  });

  check('attack 7: content that does not have the digest of its path is refused and leaves no trace', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const image = randomImage();
    for (const { bytes } of [image.config, ...image.layers]) await client.pushBlob(repository, bytes);
    const padded = Buffer.concat([image.manifest.bytes, Buffer.from('  ')]);
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const reference = digestOf(image.manifest.bytes, algorithm);
      assertError(
        await put(protocol, repository, reference, { bytes: padded, mediaType: image.manifest.mediaType }),
        400,
        'DIGEST_INVALID',
      );
      for (const each of [reference, digestOf(padded, algorithm)])
        assertStatus(await client.request('HEAD', `/v2/${repository}/manifests/${each}`), 404);
    }
    assertError(await put(protocol, repository, 'sha256:baddigeststring', image.manifest), 400, 'DIGEST_INVALID');
    assertStatus(await client.request('GET', `/v2/${repository}/manifests/sha256:baddigeststring`), 400, 404);
  });

  check('attack 7: every byte is kept: spaces, line ends, order of keys, escapes, numbers', async (protocol) => {
    const repository = protocol.newRepository();
    const documents = [
      '{"schemaVersion":2,"manifests":[]}',
      '{ "manifests" : [ ] ,\r\n\t"schemaVersion" : 2 }\n\n',
      '{"schemaVersion":2.0,"manifests":[],"annotations":{"\\u0061":"\\/\\u00e9é😀"},"number":1e2}',
      '  {"schemaVersion":20e-1,"manifests":[]}  ',
    ];
    for (const [index, text] of documents.entries()) {
      const manifest = contentOf(mediaTypes.ociIndex, Buffer.from(text));
      const answer = await put(protocol, repository, `tag-${index}`, manifest);
      assertStatus(answer, 201);
      assert.equal(answer.headers['docker-content-digest'], manifest.digest);
      for (const reference of [`tag-${index}`, manifest.digest])
        assert.ok((await protocol.client.pull(repository, 'manifests', reference)).equals(manifest.bytes));
    }
  });

  check('a tag is overwritten, what it pointed to stays, and a delete by digest takes all tags along', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const [first, second] = [randomImage(), randomImage()];
    await client.pushImage(repository, first, 'latest');
    await client.pushImage(repository, second, 'latest');
    await client.pushManifest(repository, second.manifest, 'other');
    assert.ok((await client.pull(repository, 'manifests', 'latest')).equals(second.manifest.bytes));
    assert.ok((await client.pull(repository, 'manifests', first.manifest.digest)).equals(first.manifest.bytes));
    assertStatus(await client.request('DELETE', `/v2/${repository}/manifests/${second.manifest.digest}`), 202);
    for (const reference of ['latest', 'other', second.manifest.digest])
      assertStatus(await client.request('GET', `/v2/${repository}/manifests/${reference}`), 404);
    const tags = await client.request('GET', `/v2/${repository}/tags/list`);
    assert.deepEqual(JSON.parse(tags.body.toString()), { name: repository, tags: [] });
    assertStatus(await client.request('HEAD', `/v2/${repository}/manifests/${first.manifest.digest}`), 200);
  });

  check('what a manifest refers to must be in the repository, and the error names it', async (protocol) => {
    const { client } = protocol;
    const [repository, elsewhere] = [protocol.newRepository(), protocol.newRepository()];
    const image = randomImage({ layers: 3 });
    await client.pushImage(elsewhere, image);
    const blobs = [image.config, ...image.layers];
    for (const { bytes, digest } of blobs) {
      const refused = await put(protocol, repository, 'latest', image.manifest);
      assertError(refused, 404, 'MANIFEST_BLOB_UNKNOWN');
      assert.ok(refused.body.toString().includes(digest), 'the first missing digest is named');
      await client.pushBlob(repository, bytes);
    }
    assertStatus(await put(protocol, repository, 'latest', image.manifest), 201);
    const index = randomIndex();
    const [known] = index.images;
    assert.ok(known);
    await client.pushImage(repository, known);
    const refused = await put(protocol, repository, 'index', index.manifest);
    assertError(refused, 404, 'MANIFEST_BLOB_UNKNOWN');
    assert.ok(refused.body.toString().includes(index.images[1]?.manifest.digest ?? '?'));
    assertStatus(await client.request('GET', `/v2/${repository}/manifests/index`), 404);
  });

  check('a blob that a manifest uses cannot be deleted until the manifest is', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const image = randomImage();
    await client.pushImage(repository, image);
    const layer = `/v2/${repository}/blobs/${image.layers[0]?.digest}`;
    assertError(await client.request('DELETE', layer), 405, 'UNSUPPORTED');
    assertStatus(await client.request('HEAD', layer), 200);
    assertStatus(await client.request('DELETE', `/v2/${repository}/manifests/${image.manifest.digest}`), 202);
    assertStatus(await client.request('DELETE', layer), 202);
    assertStatus(await client.request('HEAD', layer), 404);
  });

  check(
    'what a manifest may do without is kept as long as it is there: pushed foreign layers, blobs of unknown kinds',
    async (protocol) => {
      const { client } = protocol;
      const image = randomImage();
      const foreign = image.layers.map((layer) => ({
        ...descriptorOf(layer),
        mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
      }));
      const distributable = JSON.parse(image.manifest.bytes.toString()) as object;
      const unknownType = 'application/vnd.example.unknown+json';
      const documents: readonly (readonly [string, object])[] = [
        [mediaTypes.ociManifest, { ...distributable, layers: foreign }],
        [unknownType, { ...distributable, mediaType: unknownType }],
      ];
      for (const [mediaType, document] of documents) {
        const repository = protocol.newRepository();
        const manifest = contentOf(mediaType, Buffer.from(JSON.stringify(document)));
        for (const { bytes } of [image.config, ...image.layers]) await client.pushBlob(repository, bytes);
        await client.pushManifest(repository, manifest);
        for (const { digest } of image.layers)
          assertError(await client.request('DELETE', `/v2/${repository}/blobs/${digest}`), 405, 'UNSUPPORTED');
        assertStatus(await client.request('DELETE', `/v2/${repository}/manifests/${manifest.digest}`), 202);
        for (const { digest } of image.layers)
          assertStatus(await client.request('DELETE', `/v2/${repository}/blobs/${digest}`), 202);
      }
      const other = contentOf(unknownType, Buffer.from(JSON.stringify({ ...distributable, mediaType: unknownType })));
      await client.pushManifest(protocol.newRepository(), other);
    },
  );

  check('attack 11: the stored type is served whatever Accept says, or when it says nothing', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const image = randomImage();
    await client.pushImage(repository, image, 'latest');
    const many = Array.from({ length: 100 }, (_, index) => `application/vnd.example.type-${index}+json;q=0.${index % 10}`);
    const accepts = [
      undefined,
      '*/*',
      '',
      mediaTypes.dockerManifest,
      [mediaTypes.dockerManifest, mediaTypes.dockerList],
      many,
      many.join(', '),
      'nonsense',
      'text/html',
      `${image.manifest.mediaType};q=0`,
    ];
    for (const accept of accepts) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await client.request(method, `/v2/${repository}/manifests/latest`, {
          headers: accept === undefined ? {} : { accept },
        });
        assertStatus(answer, 200);
        assert.equal(answer.headers['content-type'], image.manifest.mediaType);
        assert.equal(answer.headers['docker-content-digest'], image.manifest.digest);
      }
    }
  });

  check('a client that has the manifest is told so', async ({ client, newRepository }) => {
    const repository = newRepository();
    const image = randomImage();
    await client.pushImage(repository, image, 'latest');
    const path = `/v2/${repository}/manifests/latest`;
    const { etag } = (await client.request('HEAD', path)).headers;
    assert.ok(etag);
    const unchanged = await client.request('GET', path, { headers: { 'if-none-match': etag } });
    assertStatus(unchanged, 304);
    assert.equal(unchanged.body.length, 0);
    assertStatus(await client.request('GET', path, { headers: { 'if-none-match': '"sha256:0"' } }), 200);
  });

  check('end-7b: many tags come with one push; too many are 414; one bad tag refuses all', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const image = randomImage();
    for (const { bytes } of [image.config, ...image.layers]) await client.pushBlob(repository, bytes);
    const push = (tags: readonly string[]) =>
      put(
        protocol,
        repository,
        `${image.manifest.digest}?${tags.map((tag) => `tag=${encodeURIComponent(tag)}`).join('&')}`,
        image.manifest,
      );
    const listed = async () => (await client.request('GET', `/v2/${repository}/tags/list`)).body.toString();
    assertError(await push(['good', 'bad tag']), 400, 'TAG_INVALID');
    assertError(await push(['good', '']), 400, 'TAG_INVALID');
    assertError(await push(Array.from({ length: 300 }, (_, index) => `tag-${index}`)), 414, 'TAG_INVALID');
    assertStatus(await client.request('HEAD', `/v2/${repository}/manifests/${image.manifest.digest}`), 404);
    const tags = Array.from({ length: 20 }, (_, index) => `tag-${String(index).padStart(2, '0')}`);
    const answer = await push([...tags, 'tag-00']);
    assertStatus(answer, 201);
    const replied = String(answer.headers['oci-tag'])
      .split(',')
      .map((tag) => tag.trim());
    assert.deepEqual(replied.toSorted(), tags);
    assert.deepEqual(JSON.parse(await listed()), { name: repository, tags });
  });

  check('a manifest may come by sha512 and under a tag, too', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const image = randomImage({ algorithm: 'sha512' });
    await client.pushImage(repository, image, `${image.manifest.digest}?tag=latest`);
    const answer = await client.request('GET', `/v2/${repository}/manifests/latest`);
    assert.equal(answer.headers['docker-content-digest'], image.manifest.digest);
    assert.equal(
      locationOf(await put(protocol, repository, image.manifest.digest, image.manifest)),
      `/v2/${repository}/manifests/${image.manifest.digest}`,
    );
  });

  check('attack 5: a manifest of 4 MiB is taken, one byte more is 413, announced or not', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const largest = indexOfSize(maxManifestBytes);
    const tooLarge = indexOfSize(maxManifestBytes + 1);
    assert.equal(largest.bytes.length, maxManifestBytes);
    const inChunks = ({ bytes, mediaType }: Content) =>
      client.request('PUT', `/v2/${repository}/manifests/latest`, {
        body: Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]),
        headers: { 'content-type': mediaType },
      });
    // A token first: a stream cannot be sent again after a 401.
    assertStatus(await put(protocol, repository, 'latest', indexOfSize(1000)), 201);
    assertError(await put(protocol, repository, 'latest', tooLarge), 413, 'SIZE_INVALID');
    assertError(await inChunks(tooLarge), 413, 'SIZE_INVALID');
    for (const way of [put(protocol, repository, 'latest', largest), inChunks(largest)]) assertStatus(await way, 201);
    assert.ok((await client.pull(repository, 'manifests', 'latest')).equals(largest.bytes));
  });

  check('attack 4: documents that two readers could understand in two ways are refused', async (protocol) => {
    const repository = protocol.newRepository();
    const image = JSON.parse(randomImage().manifest.bytes.toString()) as Record<string, unknown>;
    const both = { ...image, manifests: [] };
    const bad: readonly (readonly [string, string | Buffer])[] = [
      [mediaTypes.ociManifest, JSON.stringify(both)],
      [mediaTypes.ociIndex, JSON.stringify({ ...both, mediaType: mediaTypes.ociIndex })],
      [mediaTypes.ociIndex, JSON.stringify(image)],
      [mediaTypes.dockerManifest, JSON.stringify(image)],
      [mediaTypes.ociIndex, '{"schemaVersion":2,"manifests":[],"manifests":[]}'],
      [mediaTypes.ociIndex, '{"schemaVersion":2,"manifests":[],"\\u006danifests":[]}'],
      [mediaTypes.ociIndex, '{"schemaVersion":2,"manifests":[]}\0'],
      [mediaTypes.ociIndex, Buffer.from([0x7b, 0xff, 0x7d])],
      [mediaTypes.ociIndex, `{"schemaVersion":2,"manifests":[],"x":${'['.repeat(50)}${']'.repeat(50)}}`],
      [mediaTypes.ociIndex, '['.repeat(1_000_000)],
      [mediaTypes.ociIndex, ''],
      [mediaTypes.ociIndex, 'null'],
      [mediaTypes.ociIndex, 'not json'],
      ['application/vnd.docker.distribution.manifest.v1+prettyjws', '{"schemaVersion":1}'],
      ...['-1', '9223372036854775808', '1.5', '"1"', '1e400'].map((size): readonly [string, string] => [
        mediaTypes.ociIndex,
        JSON.stringify({ schemaVersion: 2, manifests: [descriptorOf(randomImage().manifest)] }).replace(
          /"size":\d+/,
          `"size":${size}`,
        ),
      ]),
    ];
    for (const [mediaType, text] of bad)
      assertError(await put(protocol, repository, 'latest', { mediaType, bytes: Buffer.from(text) }), 400, 'MANIFEST_INVALID');
    assertError(await protocol.client.request('GET', `/v2/${repository}/manifests/latest`), 404, 'NAME_UNKNOWN');
  });
});

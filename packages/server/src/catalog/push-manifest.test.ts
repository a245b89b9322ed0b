import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { maxManifestBytes, mediaTypes } from '@berth/oci';
import { forEachEngine } from '@berth/testkit';
import { bytesOf, descriptor, digestOf, image, openTestCatalog } from './test-catalog.ts';
import { damageManifest } from './test-transactions.ts';

/** An image document padded to an exact size. */
function padded(sizeBytes: number, config: string): Buffer {
  const empty = bytesOf(image(config, [], { annotations: { pad: '' } })).length;
  return bytesOf(image(config, [], { annotations: { pad: 'x'.repeat(sizeBytes - empty) } }));
}

forEachEngine((engine) => {
  test('a manifest comes back byte for byte, by tag and by digest', async (t) => {
    const registry = await openTestCatalog(engine, t);
    for (const content of ['config', 'layer']) await registry.pushBlob('a/b', content);
    const document = image('config', ['layer']);
    const put = await registry.ask('put-manifest', {
      name: 'a/b',
      reference: 'v1',
      body: bytesOf(document),
      headers: { 'content-type': mediaTypes.ociManifest },
    });
    const digest = digestOf(bytesOf(document));
    assert.equal(put.status, 201);
    assert.deepEqual(put.headers, { Location: `/v2/a/b/manifests/${digest}`, 'Docker-Content-Digest': digest });
    for (const reference of ['v1', digest]) {
      const got = await registry.ask('get-manifest', { name: 'a/b', reference });
      assert.equal(got.status, 200);
      assert.deepEqual(got.bytes, bytesOf(document));
      const headers = {
        'Content-Type': mediaTypes.ociManifest,
        'Docker-Content-Digest': digest,
        ETag: `"${digest}"`,
        'Content-Length': got.bytes.length,
      };
      assert.deepEqual(got.headers, headers);
      const head = await registry.ask('head-manifest', { name: 'a/b', reference });
      assert.equal(head.status, 200);
      assert.deepEqual(head.headers, headers);
    }
  });

  test('attack 7: by tag the exact bytes are kept, whitespace and all', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const text = `\n {"schemaVersion" : 2,\t"config":${JSON.stringify(descriptor('config'))}, "layers":[ ] , "extra":1e2}\r\n `;
    const put = await registry.ask('put-manifest', {
      name: 'a',
      reference: 'v1',
      body: Buffer.from(text),
      headers: { 'content-type': mediaTypes.ociManifest },
    });
    assert.equal(put.status, 201, put.message);
    assert.equal(put.headers['Docker-Content-Digest'], digestOf(text));
    for (const each of [registry, registry.restarted()])
      assert.equal((await each.ask('get-manifest', { name: 'a', reference: 'v1' })).bytes.toString(), text);
  });

  test('attack 7: by digest other bytes are refused and leave no trace', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const right = bytesOf(image('config'));
    for (const algorithm of ['sha256', 'sha512']) {
      const digest = digestOf(right, algorithm);
      const refused = await registry.ask('put-manifest', {
        name: 'a',
        reference: digest,
        body: Buffer.concat([right, Buffer.from(' ')]),
        query: { tag: 'v1' },
      });
      assert.equal(refused.error, 'DIGEST_INVALID');
      assert.equal(refused.status, 400);
      assert.match(refused.message, new RegExp(digest));
      assert.equal((await registry.ask('get-manifest', { name: 'a', reference: digest })).error, 'MANIFEST_UNKNOWN');
      assert.equal((await registry.ask('get-manifest', { name: 'a', reference: 'v1' })).error, 'MANIFEST_UNKNOWN');
      const put = await registry.ask('put-manifest', { name: 'a', reference: digest, body: right });
      assert.equal(put.status, 201);
      assert.equal(put.headers['Docker-Content-Digest'], digest);
      assert.deepEqual((await registry.ask('get-manifest', { name: 'a', reference: digest })).bytes, right);
    }
  });

  test('attack 3: a reference that is neither tag nor digest is a 400', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const hex = 'a'.repeat(64);
    for (const reference of [
      'sha256:baddigeststring',
      `sha256:${hex.toUpperCase()}`,
      `sha256:${hex}a`,
      'sha256:../../x',
      `md5:${hex}`,
      `:${hex}`,
    ]) {
      for (const operation of ['get-manifest', 'head-manifest', 'put-manifest', 'delete-manifest']) {
        const answer = await registry.ask(operation, { name: 'a', reference, body: bytesOf(image('config')) });
        assert.equal(answer.status, 400, `${operation} ${reference}`);
        assert.equal(answer.error, 'DIGEST_INVALID');
      }
    }
    for (const reference of ['-x', '.x', 'a b', 'x'.repeat(129), 'ü', 'a\0', '']) {
      assert.equal((await registry.ask('get-manifest', { name: 'a', reference })).error, 'TAG_INVALID');
    }
  });

  test('attack 5: 4 MiB are taken, a byte more is not, with and without a length', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const largest = padded(maxManifestBytes, 'config');
    assert.equal(largest.length, maxManifestBytes);
    const streamed = (bytes: Buffer) =>
      Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)], { objectMode: false });
    for (const [reference, body] of [
      ['known', largest],
      ['chunked', streamed(largest)],
    ] as const) {
      const put = await registry.ask('put-manifest', { name: 'a', reference, body });
      assert.equal(put.status, 201, put.message);
      assert.deepEqual((await registry.ask('get-manifest', { name: 'a', reference })).bytes, largest);
    }
    const more = padded(maxManifestBytes + 1, 'config');
    for (const body of [more, streamed(more)]) {
      const refused = await registry.ask('put-manifest', { name: 'a', reference: 'more', body });
      assert.equal(refused.status, 413);
      assert.equal(refused.error, 'MANIFEST_TOO_LARGE');
    }
  });

  test('attack 5: of an endless body no more than 4 MiB are taken', async (t) => {
    const registry = await openTestCatalog(engine, t);
    let sent = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) {
          sent += 65_536;
          yield Buffer.alloc(65_536, ' ');
        }
      })(),
      { objectMode: false },
    );
    assert.equal((await registry.ask('put-manifest', { name: 'a', reference: 'v1', body: endless })).error, 'MANIFEST_TOO_LARGE');
    assert.ok(sent < maxManifestBytes + 1_000_000, `${sent} bytes were taken`);
    assert.equal(endless.destroyed, false, 'the connection stays for the answer');
  });

  test('attack 8: a body that is shorter or longer than announced is refused', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const body = bytesOf(image('config'));
    for (const contentLength of [body.length - 1, body.length + 1]) {
      const refused = await registry.ask('put-manifest', { name: 'a', reference: 'v1', body, contentLength });
      assert.equal(refused.error, 'SIZE_INVALID');
    }
    assert.equal(
      (await registry.ask('put-manifest', { name: 'a', reference: 'v1', body: Buffer.alloc(0) })).error,
      'MANIFEST_INVALID',
    );
  });

  test('attack 4: documents that two readers could understand in two ways are refused', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const config = JSON.stringify(descriptor('config'));
    const type = mediaTypes.ociManifest;
    const documents: Record<string, string> = {
      'both kinds': `{"schemaVersion":2,"config":${config},"layers":[],"manifests":[]}`,
      'another mediaType': JSON.stringify({ ...image('config'), mediaType: mediaTypes.ociIndex }),
      'a key twice': `{"schemaVersion":2,"config":${config},"layers":[],"layers":[]}`,
      'a key twice, escaped': `{"schemaVersion":2,"config":${config},"layers":[],"l\\u0061yers":[]}`,
      'a NUL byte': `{"schemaVersion":2,"config":${config},"layers":[]}\0`,
      'no UTF-8': '',
      'deep nesting': `{"schemaVersion":2,"config":${config},"layers":[],"x":${'['.repeat(50)}${']'.repeat(50)}}`,
      'a negative size': `{"schemaVersion":2,"config":${config.replace(/"size":\d+/, '"size":-1')},"layers":[]}`,
      'a size of 2^63': `{"schemaVersion":2,"config":${config.replace(/"size":\d+/, '"size":9223372036854775808')},"layers":[]}`,
      'no JSON': 'hello',
      'no object': '[]',
    };
    for (const [what, text] of Object.entries(documents)) {
      const body = what === 'no UTF-8' ? Buffer.from([0x7b, 0xff, 0x7d]) : Buffer.from(text);
      const refused = await registry.ask('put-manifest', { name: 'a', reference: 'v1', body, headers: { 'content-type': type } });
      assert.equal(refused.error, 'MANIFEST_INVALID', what);
      assert.equal(refused.status, 400);
    }
    const many = bytesOf(
      image(
        'config',
        Array.from({ length: 100_000 }, () => 'config'),
      ),
    );
    assert.equal((await registry.ask('put-manifest', { name: 'a', reference: 'v1', body: many })).error, 'MANIFEST_TOO_LARGE');
    assert.deepEqual((await registry.ask('list-tags', { name: 'a' })).json, { name: 'a', tags: [] });
  });

  test('the Content-Type is kept; without one the document tells', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const { mediaType: _, ...plain } = image('config') as { mediaType: string };
    const cases = [
      { document: image('config'), contentType: undefined, stored: mediaTypes.ociManifest },
      { document: plain, contentType: mediaTypes.dockerManifest, stored: mediaTypes.dockerManifest },
      {
        document: image('config', [], { mediaType: mediaTypes.dockerManifest }),
        contentType: `${mediaTypes.dockerManifest}; charset=utf-8`,
        stored: mediaTypes.dockerManifest,
      },
      { document: { hello: 'world' }, contentType: 'application/vnd.example+json', stored: 'application/vnd.example+json' },
    ];
    for (const [at, { document, contentType, stored }] of cases.entries()) {
      const headers = contentType === undefined ? {} : { 'content-type': contentType };
      const put = await registry.ask('put-manifest', { name: 'a', reference: `v${at}`, body: bytesOf(document), headers });
      assert.equal(put.status, 201, put.message);
      assert.equal((await registry.ask('get-manifest', { name: 'a', reference: `v${at}` })).headers['Content-Type'], stored);
    }
  });

  test('a document without a mediaType may be of two types in two repositories', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const { mediaType: _, ...plain } = image('config') as { mediaType: string };
    const types = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
    for (const [at, type] of types.entries()) {
      await registry.pushBlob(`r${at}`, 'config');
      await registry.ask('put-manifest', {
        name: `r${at}`,
        reference: 'v1',
        body: bytesOf(plain),
        headers: { 'content-type': type },
      });
    }
    for (const round of [0, 1, 0, 1]) {
      assert.equal(
        (await registry.ask('get-manifest', { name: `r${round}`, reference: 'v1' })).headers['Content-Type'],
        types[round],
      );
    }
  });

  test('attack 37: a damaged manifest is reported, never served, and repaired by a push', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const document = image('config', [], { subject: descriptor('x', mediaTypes.ociManifest), annotations: { k: 'v' } });
    const digest = await registry.push('a', document, 'v1');
    await registry.database.write(damageManifest, { digest });
    const cold = registry.restarted();
    assert.equal((await cold.ask('get-manifest', { name: 'a', reference: 'v1' })).error, 'CONTENT_DAMAGED');
    const listed = await cold.ask('list-referrers', { name: 'a', digest: digestOf('x') });
    assert.deepEqual(
      (listed.json as { manifests: { digest: string; annotations?: object }[] }).manifests.map(({ digest: of, annotations }) => ({
        of,
        annotations,
      })),
      [{ of: digest, annotations: undefined }],
    );
    assert.equal(cold.logged.length, 2);
    await cold.push('a', document, 'v1');
    const repaired = registry.restarted();
    assert.deepEqual((await repaired.ask('get-manifest', { name: 'a', reference: 'v1' })).bytes, bytesOf(document));
    const again = (await repaired.ask('list-referrers', { name: 'a', digest: digestOf('x') })).json as {
      manifests: { annotations?: object }[];
    };
    assert.deepEqual(again.manifests[0]?.annotations, { k: 'v' });
  });

  test('nothing of a manifest is readable in the database', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    await registry.push(
      'a',
      image('config', [], { annotations: { secretkey: 'secretvalue' }, subject: descriptor('x', mediaTypes.ociManifest) }),
      'v1',
    );
    const [row] = await registry.database.read.selectFrom('manifests').selectAll().execute();
    assert.ok(row !== undefined);
    for (const value of Object.values(row)) {
      const text = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value);
      assert.doesNotMatch(text, /secret|annotations|schemaVersion/);
    }
  });

  test('a manifest of another registry is not known here, nor are its blobs', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const other = await registry.otherRegistry();
    await registry.pushBlob('a', 'config');
    const digest = await registry.push('a', image('config'), 'v1');
    for (const reference of ['v1', digest])
      assert.equal((await other.ask('get-manifest', { name: 'a', reference })).error, 'NAME_UNKNOWN');
    assert.equal(
      (await other.ask('put-manifest', { name: 'a', reference: 'v1', body: bytesOf(image('config')) })).error,
      'MANIFEST_BLOB_UNKNOWN',
    );
    assert.deepEqual((await other.ask('list-repositories', {})).json, { repositories: [] });
  });
});

describe('several at once', () => {
  forEachEngine((engine) => {
    test('two pushes of one tag: one of them wins, whole', async (t) => {
      const registry = await openTestCatalog(engine, t);
      await registry.pushBlob('a', 'config');
      const documents = Array.from({ length: 8 }, (_, at) => image('config', [], { annotations: { at: String(at) } }));
      for (let round = 0; round < 5; round += 1) {
        const digests = await Promise.all(
          documents.map((each, at) =>
            registry.push('a', each, at % 2 === 0 ? 'x' : 'y', new URLSearchParams(at % 2 === 0 ? 'tag=y' : 'tag=x')),
          ),
        );
        const [x, y] = await Promise.all(
          ['x', 'y'].map(
            async (reference) => (await registry.ask('head-manifest', { name: 'a', reference })).headers['Docker-Content-Digest'],
          ),
        );
        assert.ok(digests.includes(String(x)));
        assert.equal(x, y, 'the tags of one push are set together');
      }
    });

    test('the same new manifest pushed many times at once is stored once', async (t) => {
      const registry = await openTestCatalog(engine, t);
      for (const content of ['config', 'layer']) await registry.pushBlob('a', content);
      await Promise.all(Array.from({ length: 12 }, (_, at) => registry.push('a', image('config', ['layer']), `v${at}`)));
      assert.equal((await registry.database.read.selectFrom('manifests').select('id').execute()).length, 1);
      assert.equal((await registry.database.read.selectFrom('manifest_blobs').select('blob_id').execute()).length, 2);
      assert.equal((await registry.database.read.selectFrom('tags').select('name').execute()).length, 12);
    });

    test('a push that meets a delete of the same manifest is either before or after it', async (t) => {
      const registry = await openTestCatalog(engine, t);
      await registry.pushBlob('a', 'config');
      const digest = await registry.push('a', image('config'));
      for (let round = 0; round < 30; round += 1) {
        const [, removed] = await Promise.all([
          registry.push('a', image('config'), 'v1'),
          registry.ask('delete-manifest', { name: 'a', reference: digest }),
        ]);
        const byTag = await registry.ask('get-manifest', { name: 'a', reference: 'v1' });
        const byDigest = await registry.ask('get-manifest', { name: 'a', reference: digest });
        assert.equal(byTag.status, byDigest.status);
        assert.ok(
          removed.status === 202 || byTag.status === 200,
          `the delete answered ${removed.status}, the tag ${byTag.status}`,
        );
        if (byTag.status === 404) await registry.push('a', image('config'));
      }
    });

    test('a push that meets a re-tag and the delete of the old manifest keeps the tag', async (t) => {
      const registry = await openTestCatalog(engine, t);
      await registry.pushBlob('a', 'config');
      for (let round = 0; round < 20; round += 1) {
        const old = await registry.push('a', image('config', [], { annotations: { round: `old ${round}` } }), 'v1');
        const [fresh] = await Promise.all([
          registry.push('a', image('config', [], { annotations: { round: `new ${round}` } }), 'v1'),
          registry.ask('delete-manifest', { name: 'a', reference: old }),
        ]);
        assert.equal(
          (await registry.ask('head-manifest', { name: 'a', reference: 'v1' })).headers['Docker-Content-Digest'],
          fresh,
        );
      }
    });

    test('attack 40: a push that meets collection finds its blobs or is told which one is gone', async (t) => {
      const registry = await openTestCatalog(engine, t);
      for (let round = 0; round < 15; round += 1) {
        const [config, layer] = [`config ${round}`, `layer ${round}`];
        for (const content of [config, layer]) await registry.pushBlob('a', content);
        registry.clock.time += 25 * 3_600_000;
        const pushes = Array.from({ length: 3 }, (_, at) =>
          registry.ask('put-manifest', {
            name: 'a',
            reference: `r${round}-${at}`,
            body: bytesOf(image(config, [layer], { annotations: { at: String(at) } })),
          }),
        );
        const [answers] = await Promise.all([Promise.all(pushes), registry.collect()]);
        await registry.collect();
        for (const [at, answer] of answers.entries()) {
          const got = await registry.ask('get-manifest', { name: 'a', reference: `r${round}-${at}` });
          if (answer.status === 201) {
            assert.equal(got.status, 200);
            for (const content of [config, layer])
              assert.equal((await registry.ask('head-blob', { name: 'a', digest: digestOf(content) })).status, 200);
          } else {
            assert.equal(answer.error, 'MANIFEST_BLOB_UNKNOWN');
            assert.equal(got.status, 404);
          }
        }
      }
      assert.deepEqual(registry.logged, []);
    });
  });
});

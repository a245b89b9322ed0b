import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { mediaTypes } from '@berth/oci';
import {
  RegistryClient,
  type StartedRegistry,
  contentOf,
  descriptorOf,
  forEachEngine,
  randomBytesOf,
  randomImage,
  startRegistry,
} from '@berth/testkit';
import type { ImportFrom } from './index.ts';
import { openTestImports } from './test-imports.ts';
import { type Answer, type TestSource, listen, listenBefore } from './test-source.ts';

let registry: StartedRegistry;
let client: RegistryClient;

before(async () => {
  registry = await startRegistry({ settings: { anonymousPull: 'true' } });
  client = new RegistryClient(registry);
});

after(async () => {
  client[Symbol.dispose]();
  await registry.stop();
});

const credentials = { username: 'reader', password: 'a secret' };
const basic = `Basic ${Buffer.from('reader:a secret').toString('base64')}`;

function at({ host }: TestSource, given?: typeof credentials): ImportFrom {
  return given === undefined ? { registryUri: host } : { registryUri: host, credentials: given };
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string | Buffer = ''): boolean {
  response.writeHead(status, headers).end(body);
  return true;
}

/** Once for each path that contains a text. */
function firstTimeFor(part: string, answer: (response: ServerResponse, request: IncomingMessage) => boolean): Answer {
  const seen = new Set<string>();
  return (request, response) => {
    const url = request.url ?? '';
    if (!url.includes(part) || seen.has(url)) return false;
    seen.add(url);
    return answer(response, request);
  };
}

// One engine: what a source does has nothing to do with the database.
forEachEngine((engine) => {
  if (engine.name !== 'sqlite') return;

  test('a body that breaks off goes on from there', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage({ layers: 3, layerBytes: 1_000_000 });
    await client.pushImage('broken', image, 'v1');
    const layers = new Map(image.layers.map((layer) => [layer.digest, layer.bytes]));
    const cut = firstTimeFor('/blobs/', (response, request) => {
      const bytes = layers.get(request.url?.split('/').at(-1) ?? '');
      if (bytes === undefined) return false;
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 400_000), () => response.destroy());
      return true;
    });
    const source = await listenBefore(t, registry.url, cut);
    const run = await target.import({ source: at(source), sourceImage: 'broken:v1' });
    await target.requireImage('copy', image);
    const ranges = source.headers.flatMap(({ range }) => range ?? []);
    assert.equal(ranges.length, 3);
    for (const range of ranges) assert.match(range, /^bytes=[1-9]\d*-$/);
    assert.equal(run.progress.bytesDone, run.progress.bytesTotal);
  });

  test('a source that knows no ranges is read again from the start', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage({ layers: 1, layerBytes: 500_000 });
    const [layer] = image.layers;
    assert.ok(layer !== undefined);
    await client.pushImage('ranges', image, 'v1');
    let sends = 0;
    const source = await listenBefore(t, registry.url, (request, response) => {
      if (request.url?.endsWith(layer.digest) !== true) return false;
      sends += 1;
      response.writeHead(200, { 'content-length': layer.bytes.length });
      if (sends === 1) response.write(layer.bytes.subarray(0, 200_000), () => response.destroy());
      else response.end(layer.bytes);
      return true;
    });
    await target.import({ source: at(source), sourceImage: 'ranges:v1' });
    await target.requireImage('copy', image);
    assert.equal(sends, 2);
  });

  test('attack 29: a body that always breaks off fails in the end, and what came before is kept for the next attempt', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage({ layers: 2, layerBytes: 300_000 });
    await client.pushImage('truncated', image, 'v1');
    const last = image.layers.at(-1)?.digest ?? '';
    let isBad = true;
    const source = await listenBefore(t, registry.url, (request, response) => {
      if (!isBad || request.url?.endsWith(last) !== true) return false;
      response.writeHead(200, { 'content-length': 300_000 });
      response.write('some', () => response.destroy());
      return true;
    });
    const failed = await target.refuse({ source: at(source), sourceImage: 'truncated:v1' }, 'UPSTREAM_FAILED');
    assert.match(failed.error?.message ?? '', /could not be read to its end/);
    assert.equal(await target.tag('copy:v1'), undefined);
    isBad = false;
    source.asked.length = 0;
    await target.import({ source: at(source), sourceImage: 'truncated:v1' });
    await target.requireImage('copy', image);
    assert.ok(source.asked.filter((request) => request.includes('/blobs/')).length <= 2, source.asked.join('\n'));
  });

  test('attack 29: other bytes than the digest says are refused', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage({ layers: 1, layerBytes: 10_000 });
    await client.pushImage('forged', image, 'v1');
    const blobs = await listenBefore(t, registry.url, (request, response) =>
      request.url?.endsWith(image.layers[0]?.digest ?? '') === true ? send(response, 200, {}, randomBytesOf(10_000)) : false,
    );
    const failed = await target.refuse({ source: at(blobs), sourceImage: 'forged:v1' }, 'UPSTREAM_FAILED');
    assert.match(failed.error?.message ?? '', /digest/);
    const larger = await listenBefore(t, registry.url, (request, response) =>
      request.url?.endsWith(image.layers[0]?.digest ?? '') === true ? send(response, 200, {}, randomBytesOf(20_000)) : false,
    );
    await target.refuse({ source: at(larger), sourceImage: 'forged:v1' }, 'UPSTREAM_FAILED');
    const type = { 'content-type': mediaTypes.ociManifest };
    const manifests = await listenBefore(t, registry.url, (request, response) =>
      request.url?.includes('/manifests/sha256:') === true ? send(response, 200, type, randomImage().manifest.bytes) : false,
    );
    await target.refuse({ source: at(manifests), sourceImage: `forged@${image.manifest.digest}` }, 'UPSTREAM_FAILED');
    assert.equal(await target.tag('copy:v1'), undefined);
  });

  test('attack 29: a source that asks for a pause gets it', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage();
    await client.pushImage('busy', image, 'v1');
    const busy = firstTimeFor('/', (response) => send(response, 429, { 'retry-after': '7' }, 'later'));
    const source = await listenBefore(t, registry.url, busy);
    await target.import({ source: at(source), sourceImage: 'busy:v1' });
    await target.requireImage('copy', image);
    assert.ok(target.waits.length >= 4 && target.waits.every((wait) => wait === 7000), String(target.waits));
  });

  test('attack 29: a source that is always busy, or asks for a long pause, is told', async (t) => {
    const target = await openTestImports(engine, t);
    const always = await listen(t, (_, response) => send(response, 503, {}));
    await target.refuse({ source: at(always), sourceImage: 'app:v1' }, 'UPSTREAM_FAILED');
    assert.deepEqual(target.waits, [1000, 2000, 4000, 8000]);
    const long = await listen(t, (_, response) => send(response, 429, { 'retry-after': '3600' }));
    const failed = await target.refuse({ source: at(long), sourceImage: 'app:v1' }, 'UPSTREAM_FAILED');
    assert.match(failed.error?.message ?? '', /3600 seconds/);
    assert.equal(long.asked.length, 1);
  });

  test('attack 29: HTML, an endless document, nonsense and an endless list are no image', async (t) => {
    const target = await openTestImports(engine, t);
    const html = await listen(t, (_, response) => send(response, 200, { 'content-type': 'text/html' }, '<html>Sign in</html>'));
    await target.refuse({ source: at(html), sourceImage: 'app:v1' }, 'MANIFEST_INVALID');
    const endless = await listen(t, (_, response) => {
      const more = (): void => void response.write(Buffer.alloc(65_536), (error) => (error ? undefined : setImmediate(more)));
      more();
    });
    await target.refuse({ source: at(endless), sourceImage: 'app:v1' }, 'UPSTREAM_FAILED');
    const index = contentOf(
      mediaTypes.ociIndex,
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] })),
    );
    const list = await listen(t, (request, response) => {
      const headers = {
        'content-type': mediaTypes.ociIndex,
        link: `<${request.url?.split('?')[0]}?last=${Math.random()}>; rel="next"`,
      };
      send(
        response,
        200,
        request.url?.includes('/referrers/') === true ? headers : { 'content-type': mediaTypes.ociIndex },
        index.bytes,
      );
    });
    const failed = await target.refuse({ source: at(list), sourceImage: 'app:v1' }, 'UPSTREAM_FAILED');
    assert.match(failed.error?.message ?? '', /does not end/);
  });

  test('attack 28, 29: a realm on another host does not get the credentials, one on its own does', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage();
    const manifest = { 'content-type': mediaTypes.ociManifest };
    const serve = (request: IncomingMessage, response: ServerResponse, realm: string): boolean => {
      if (request.url?.startsWith('/token') === true)
        return send(response, request.headers.authorization === basic ? 200 : 401, {}, '{"token":"t0ken"}');
      if (request.headers.authorization !== 'Bearer t0ken')
        return send(response, 401, { 'www-authenticate': `Bearer realm="${realm}",service="s",scope="repository:x:push"` });
      return request.url?.includes('/manifests/v1') === true
        ? send(response, 200, manifest, image.manifest.bytes)
        : send(response, 404, {});
    };
    const thief = await listen(t, (_, response) => send(response, 200, {}, '{"token":"stolen"}'));
    const bad = await listen(t, (request, response) => void serve(request, response, `http://${thief.host}/token`));
    const failed = await target.refuse({ source: at(bad, credentials), sourceImage: 'app:v1' }, 'INVALID_PARAMETER');
    assert.equal(failed.error?.target, 'source.credentials');
    assert.match(failed.error?.message ?? '', /not sent there/);
    assert.doesNotMatch(JSON.stringify([failed.error, failed.error?.message]), /a secret|t0ken|stolen/);
    assert.equal(thief.headers[0]?.authorization, undefined);
    assert.match(thief.asked[0] ?? '', /scope=repository%3Aapp%3Apull/);

    const good: TestSource = await listen(
      t,
      (request, response) => void serve(request, response, `http://${good.host}/token?a=b`),
    );
    const missing = await target.refuse({ source: at(good, credentials), sourceImage: 'app:v1' }, 'MANIFEST_UNKNOWN');
    assert.match(missing.error?.message ?? '', /blob/);
    assert.equal(good.asked.filter((request) => request.includes('/token')).length, 1);

    const inner: TestSource = await listen(
      t,
      (request, response) => void serve(request, response, 'http://169.254.169.254/token'),
    );
    const refused = await target.refuse({ source: at(inner, credentials), sourceImage: 'app:v1' }, 'INVALID_PARAMETER');
    assert.match(refused.error?.message ?? '', /outboundAllow/);
  });

  test('attack 29: a redirect to another host carries no credentials, and its challenge is not answered', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage({ layers: 1, layerBytes: 5000 });
    const bytes = new Map([image.config, ...image.layers].map((blob) => [blob.digest, blob.bytes]));
    const store = await listen(t, (request, response) => send(response, 200, {}, bytes.get(request.url?.slice(1) ?? '') ?? ''));
    const asking = await listen(t, (_, response) => send(response, 401, { 'www-authenticate': 'Basic realm="x"' }));
    const elsewhere = (host: string): Promise<TestSource> =>
      listen(t, (request, response) => {
        const { authorization } = request.headers;
        if (authorization !== basic) send(response, 401, { 'www-authenticate': 'Basic realm="registry"' });
        else if (request.url?.includes('/blobs/') === true)
          send(response, 307, { location: `http://${host}/${request.url.split('/').at(-1)}` });
        else if (request.url?.includes('/manifests/v1') === true)
          send(response, 200, { 'content-type': mediaTypes.ociManifest }, image.manifest.bytes);
        else send(response, 404, {});
      });
    await target.import({ source: at(await elsewhere(store.host), credentials), sourceImage: 'app:v1' });
    await target.requireImage('copy', image);
    for (const { authorization } of store.headers) assert.equal(authorization, undefined);
    const source = at(await elsewhere(asking.host), credentials);
    await target.refuse({ source, sourceImage: 'app:v1', targetTags: ['other:v1'] }, 'INVALID_PARAMETER');
    for (const { authorization } of asking.headers) assert.equal(authorization, undefined);
  });

  test('attack 28: a source off the public internet is refused', async (t) => {
    const target = await openTestImports(engine, t);
    for (const registryUri of ['http://169.254.169.254', '10.0.0.1:5000', '[::1]:5000', '2130706434', '0x7f.2']) {
      const refused = await target.refuse({ source: { registryUri }, sourceImage: 'app:v1' }, 'INVALID_PARAMETER');
      assert.equal(refused.error?.target, 'source.registryUri');
    }
  });

  test('what is not there is said to be missing', async (t) => {
    const target = await openTestImports(engine, t);
    await client.pushImage('present', randomImage(), 'v1');
    const { host: registryUri } = registry;
    const tag = await target.refuse({ source: { registryUri }, sourceImage: 'present:v2' }, 'MANIFEST_UNKNOWN');
    assert.equal(tag.error?.target, 'source.sourceImage');
    assert.match(tag.error?.message ?? '', /v2/);
    await target.refuse({ source: { registryUri }, sourceImage: 'absent:v1' }, 'MANIFEST_UNKNOWN');
    const wrong = { registryUri, credentials: { username: registry.username, password: 'wrong' } };
    const denied = await target.refuse({ source: wrong, sourceImage: 'present:v1' }, 'INVALID_PARAMETER');
    assert.equal(denied.error?.target, 'source.credentials');
  });

  test('referrers come from the tag schema where the source has no list, and strangers in it are left out', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage();
    await client.pushImage('schema', image, 'v1');
    const signature = randomImage({ layers: 1, fields: { subject: descriptorOf(image.manifest) } });
    const stranger = randomImage({ layers: 1 });
    for (const pushed of [signature, stranger]) await client.pushImage('schema', pushed);
    const missing = { mediaType: mediaTypes.ociManifest, digest: `sha256:${'0'.repeat(64)}`, size: 5 };
    const manifests = [missing, descriptorOf(stranger.manifest), descriptorOf(signature.manifest)];
    const tagged = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
    const tag = image.manifest.digest.replace(':', '-');
    const source = await listenBefore(t, registry.url, (request, response) => {
      if (request.url?.includes('/referrers/') === true) return send(response, 404, {});
      return request.url?.endsWith(tag) === true ? send(response, 200, { 'content-type': mediaTypes.ociIndex }, tagged) : false;
    });
    await target.import({ source: at(source), sourceImage: 'schema:v1' });
    await target.requireImage('copy', signature);
    const name = { registryId: target.registry.id, repository: 'copy', reference: stranger.manifest.digest };
    assert.equal(await target.catalog.find(name), undefined);
  });

  test('a stop ends an import whose source keeps it waiting', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage({ layers: 1, layerBytes: 100_000 });
    await client.pushImage('slow', image, 'v1');
    const { promise, resolve } = Promise.withResolvers<void>();
    const source = await listenBefore(t, registry.url, (request, response) => {
      if (request.url?.endsWith(image.layers[0]?.digest ?? '') !== true) return false;
      response.writeHead(200, { 'content-length': 100_000 });
      response.write('some', () => resolve());
      return true;
    });
    const run = target.start({ source: at(source), sourceImage: 'slow:v1' });
    assert.equal(target.start({ source: at(source), sourceImage: 'slow:v1' }), run);
    await promise;
    await target.imports.stop();
    assert.equal(run.error?.error, 'UNAVAILABLE');
    assert.equal(await target.tag('copy:v1'), undefined);
  });

  test('an image of too many manifests is refused before anything is copied', async (t) => {
    const target = await openTestImports(engine, t);
    const image = randomImage();
    const children = new Map(
      Array.from({ length: 1001 }, (_, number) => {
        const child = contentOf(
          mediaTypes.ociIndex,
          Buffer.from(
            JSON.stringify({
              schemaVersion: 2,
              mediaType: mediaTypes.ociIndex,
              manifests: [],
              annotations: { number: `${number}` },
            }),
          ),
        );
        return [child.digest, child];
      }),
    );
    const root = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...children.values()].map(descriptorOf) }),
    );
    const source = await listen(t, (request, response) => {
      const name = request.url?.split('/').at(-1) ?? '';
      send(
        response,
        200,
        { 'content-type': mediaTypes.ociIndex },
        name === 'v1' ? root : (children.get(name)?.bytes ?? image.manifest.bytes),
      );
    });
    const failed = await target.refuse({ source: at(source), sourceImage: 'app:v1' }, 'MANIFEST_INVALID');
    assert.match(failed.error?.message ?? '', /1000 manifests/);
  });
});

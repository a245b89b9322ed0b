import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { RegistryClient, type StartedRegistry, startRegistry } from '@berth/testkit';
import { fetchDocument } from './fetch-document.ts';
import { type SourceOptions, fetchSource } from './fetch-source.ts';
import { isMetadataAddress } from './metadata-guard.ts';
import { SourceError } from './source-error.ts';
import { archiveOf } from './test-archive.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const signal = new AbortController().signal;
const archive = gzipSync(archiveOf([{ path: 'hello', content: 'world' }]));

let root: string;
let workspace: string;
let said: string[];
let server: Server;
let origin: string;
let asked: number;
let answer: Answer;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'berth-source-'));
  workspace = join(root, 'workspace');
  mkdirSync(workspace);
  said = [];
  asked = 0;
  server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  rmSync(root, { recursive: true, force: true });
});

const options = (more: Partial<SourceOptions> = {}): SourceOptions => ({
  readUpload: () => assert.fail('there was no upload'),
  logins: [],
  maxBytes: 2 ** 30,
  folder: root,
  secretsFolder: root,
  allowsLocalGit: false,
  isTrusted: true,
  signal,
  log: (text) => said.push(text),
  mask: () => {},
  ...more,
});
const fetchArchive = (url: string, more: Partial<SourceOptions> = {}): Promise<unknown> =>
  fetchSource({ kind: 'archive', url }, workspace, options(more));

describe('sources at an address', () => {
  test('are downloaded and unpacked, after redirects', async () => {
    answer = (request, response) => {
      if (request.url === '/start') response.writeHead(302, { Location: '/archive?secret=1' }).end();
      else response.end(archive);
    };
    await fetchArchive(`${origin}/start`);
    assert.equal(readFileSync(join(workspace, 'hello'), 'utf8'), 'world');
    assert.deepEqual(readdirSync(root), ['workspace']);
    assert.ok(!said.join('').includes('secret'));
  });

  test('are asked for three times, but not when the answer is final', async () => {
    answer = (_, response) => {
      if (asked === 1) response.writeHead(503).end();
      else if (asked === 2)
        response.writeHead(200, { 'Content-Length': archive.length }).write(archive.subarray(0, 20), () => response.destroy());
      else response.end(archive);
    };
    await fetchArchive(`${origin}/a`);
    assert.equal(asked, 3);
    asked = 0;
    answer = (_, response) => response.writeHead(404).end();
    await assert.rejects(fetchArchive(`${origin}/a`), /answers 404: there is nothing at this address/);
    assert.equal(asked, 1);
    asked = 0;
    answer = (_, response) => response.writeHead(500).end();
    await assert.rejects(fetchArchive(`${origin}/a`), /answers 500/);
    assert.equal(asked, 3);
  });

  test('are bounded in bytes and in redirects', async () => {
    answer = (_, response) => response.end(Buffer.alloc(5000));
    await assert.rejects(fetchArchive(`${origin}/a`, { maxBytes: 4000 }), /larger than the 4000 bytes/);
    answer = (_, response) => response.writeHead(302, { Location: '/again' }).end();
    await assert.rejects(fetchArchive(`${origin}/a`), /redirects more than 5 times/);
    answer = (_, response) => response.writeHead(302, { Location: 'file:///etc/passwd' }).end();
    await assert.rejects(fetchArchive(`${origin}/a`), /begin with https/);
  });

  test('attack 28: come from no metadata service, not even by a redirect', async () => {
    for (const host of [
      '169.254.169.254',
      '[fe80::1]',
      '[fd00:ec2::254]',
      '[::ffff:169.254.169.254]',
      '0xa9fea9fe',
      '2852039166',
      '100.100.100.200',
      '168.63.129.16',
    ])
      await assert.rejects(fetchArchive(`http://${host}/latest`), /where no source comes from/, host);
    answer = (_, response) => response.writeHead(302, { Location: 'http://169.254.169.254/latest' }).end();
    await assert.rejects(fetchArchive(`${origin}/a`), /where no source comes from/);
    for (const address of ['127.0.0.1', '10.0.0.1', '192.168.1.1', '::1', 'fd12::1', 'github.com'])
      assert.equal(isMetadataAddress(address), false, address);
    assert.equal(isMetadataAddress('fe80::1%eth0'), true);
  });

  test('other kinds: none, and an upload', async () => {
    assert.deepEqual(await fetchSource(null, workspace, options()), {});
    answer = (_, response) => response.end(archive);
    const { get } = await import('node:http');
    const readUpload = (): Promise<IncomingMessage> => new Promise((resolve) => void get(origin, resolve));
    await fetchSource({ kind: 'upload', id: 'x' }, workspace, options({ readUpload }));
    assert.equal(readFileSync(join(workspace, 'hello'), 'utf8'), 'world');
  });
});

describe('documents', () => {
  test('come from the source, and never from elsewhere on this machine', async () => {
    writeFileSync(join(root, 'secret'), 'no');
    writeFileSync(join(workspace, 'values.yaml'), 'a: b');
    symlinkSync('../secret', join(workspace, 'out'));
    for (const name of ['values.yaml', './values.yaml', '/workspace/values.yaml'])
      assert.equal(await fetchDocument(name, workspace, signal), 'a: b');
    for (const name of ['out', '../secret', join(root, 'secret'), '/etc/passwd', '/workspace/../secret'])
      await assert.rejects(fetchDocument(name, workspace, signal), SourceError, name);
    await assert.rejects(fetchDocument('.', workspace, signal), /is no file/);
    await assert.rejects(fetchDocument('none', workspace, signal), /is not in the source/);
    writeFileSync(join(workspace, 'large'), Buffer.alloc(256 * 1024 + 1));
    await assert.rejects(fetchDocument('large', workspace, signal), /more than 262144 bytes/);
  });

  test('come from an address that answers soon, and are small', async () => {
    answer = (_, response) => response.end('x: y');
    assert.equal(await fetchDocument(`${origin}/a.yaml`, workspace, signal), 'x: y');
    answer = (_, response) => response.end(Buffer.alloc(256 * 1024 + 1));
    await assert.rejects(fetchDocument(`${origin}/a.yaml`, workspace, signal), /more than 262144 bytes/);
    answer = () => {};
    await assert.rejects(fetchDocument(`${origin}/a.yaml?token=1`, workspace, signal), (error: unknown) => {
      assert.ok(error instanceof SourceError);
      assert.match(error.message, /does not answer within 2 s/);
      return !error.message.includes('token');
    });
    await assert.rejects(fetchDocument('http://169.254.169.254/', workspace, signal), /where no source comes from/);
  });
});

describe('artifacts', () => {
  let registry: StartedRegistry;
  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.stop());

  const logins = (): SourceOptions['logins'] => [
    { server: registry.host, username: registry.username, password: registry.password },
  ];
  const pull = (reference: string, more: Partial<SourceOptions> = {}): Promise<unknown> =>
    fetchSource({ kind: 'oci', reference }, workspace, options({ logins: logins(), ...more }));

  interface TestLayer {
    readonly bytes: Buffer;
    readonly type?: string;
    readonly title?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  }

  const push = async (tag: string, layers: readonly TestLayer[]): Promise<string> => {
    const client = new RegistryClient(registry);
    const place = async (bytes: Buffer): Promise<{ digest: string; size: number }> => {
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      const pushed = await client.request('POST', `/v2/files/blobs/uploads/?digest=${digest}`, { body: bytes });
      assert.equal(pushed.status, 201);
      return { digest, size: bytes.length };
    };
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', ...(await place(Buffer.from('{}'))) };
    const described = [];
    for (const { bytes, type = 'application/octet-stream', title, annotations = {} } of layers)
      described.push({
        mediaType: type,
        ...(await place(bytes)),
        annotations: { ...annotations, ...(title !== undefined && { 'org.opencontainers.image.title': title }) },
      });
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType, artifactType: 'application/x', config, layers: described }),
    );
    const answered = await client.request('PUT', `/v2/files/manifests/${tag}`, {
      body: manifest,
      headers: { 'Content-Type': mediaType },
    });
    assert.equal(answered.status, 201);
    return `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
  };

  test('become files by their titles, and folders by their archives', async () => {
    const digest = await push('v1', [
      { bytes: Buffer.from('FROM scratch'), title: 'Dockerfile' },
      { bytes: Buffer.from('x'), title: 'deep/file' },
      { bytes: archive, type: 'application/vnd.oci.image.layer.v1.tar+gzip' },
    ]);
    for (const name of [`files:v1`, `files@${digest}`]) {
      rmSync(workspace, { recursive: true });
      mkdirSync(workspace);
      await pull(`${registry.host}/${name}`);
      assert.deepEqual(readdirSync(workspace).toSorted(), ['Dockerfile', 'deep', 'hello']);
      assert.equal(readFileSync(join(workspace, 'deep/file'), 'utf8'), 'x');
    }
    assert.deepEqual(readdirSync(root), ['workspace']);
  });

  test('attack 32: a title leads nowhere else', async () => {
    for (const [at, title] of ['../out', '/tmp/berth-out', 'a/../../out'].entries()) {
      await push(`evil${at}`, [{ bytes: Buffer.from('evil'), title }]);
      await assert.rejects(pull(`${registry.host}/files:evil${at}`), /is not unpacked/);
    }
    assert.deepEqual(readdirSync(root), ['workspace']);
  });

  test('are bounded, and refused with a reason', async () => {
    await push('large', [{ bytes: Buffer.alloc(5000), title: 'large' }]);
    await assert.rejects(pull(`${registry.host}/files:large`, { maxBytes: 4000 }), /more than the 4000 bytes/);
    await push('untitled', [{ bytes: Buffer.from('x') }]);
    await assert.rejects(pull(`${registry.host}/files:untitled`), /without a title/);
    await assert.rejects(pull(`${registry.host}/files:none`), /answers 404/);
    await assert.rejects(pull(`${registry.host}/files:v1`, { logins: [] }), /give it a login/);
    await assert.rejects(pull('https://x'), /names no artifact/);
  });

  test('attack 29: other bytes than those of the digest are refused, and the login goes to no other host', async () => {
    const layer = Buffer.from('good');
    const digest = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
    const seen: (string | undefined)[] = [];
    answer = (request, response) => {
      const isToken = request.url?.startsWith('/token') === true;
      if (isToken) {
        seen.push(request.headers.authorization);
        response.end('{"token":"t"}');
      } else if (request.headers.authorization !== 'Bearer t') {
        const realm = `http://localhost:${new URL(origin).port}/token`;
        response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="${realm}",service="s"` }).end();
      } else if (request.url?.includes('/manifests/') === true)
        response.end(
          JSON.stringify({
            layers: [{ mediaType: 'x/y', digest, size: 4, annotations: { 'org.opencontainers.image.title': 'f' } }],
          }),
        );
      else response.end('evil');
    };
    const { host } = new URL(origin);
    const own = [{ server: host, username: 'u', password: 'p' }];
    await assert.rejects(pull(`${host}/files:v1`, { logins: own }), /with other bytes/);
    assert.deepEqual([...new Set(seen)], [undefined]);
    assert.deepEqual(readdirSync(workspace), []);
  });
});

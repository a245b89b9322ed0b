import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { RegistryAccess } from '../registry/registry-access.ts';
import { type Attachment, attachDocument } from './attach-document.ts';

/** Registries as others run them: Berth's own lists referrers, and is what runs are tested with. */

type Lists = (digests: readonly string[], page: number) => { readonly listed: readonly string[]; readonly isMore?: boolean };

interface Other {
  readonly access: RegistryAccess;
  readonly manifests: Map<string, string>;
}

/** @param lists what it answers for referrers; without it, it knows none */
async function withRegistry(lists: Lists | undefined, act: (other: Other) => Promise<void>): Promise<void> {
  const manifests = new Map<string, string>();
  const answer: RequestListener = (request, response) => {
    const url = new URL(request.url ?? '', 'http://registry');
    const [, kind = '', name = ''] = /^\/v2\/app\/(\w+)\/(.*)$/.exec(url.pathname) ?? [];
    void buffer(request).then((body) => {
      if (kind === 'blobs' && request.method === 'HEAD') return response.writeHead(404).end();
      if (kind === 'blobs' && request.method === 'POST') return response.writeHead(202, { location: `${url.pathname}one` }).end();
      if (kind === 'referrers' && lists !== undefined) {
        const page = Number(url.searchParams.get('page') ?? 0);
        const { listed, isMore = false } = lists([...manifests.keys()], page);
        if (isMore) response.setHeader('link', `<${url.pathname}?page=${page + 1}>; rel="next"`);
        return response.end(JSON.stringify({ manifests: listed.map((digest) => ({ digest })) }));
      }
      if (kind === 'manifests' && request.method === 'PUT') manifests.set(name, body.toString());
      if (request.method === 'PUT') return response.writeHead(201).end();
      const known = manifests.get(name);
      return known === undefined ? response.writeHead(404).end() : response.end(known);
    });
  };
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await act({ access: new RegistryAccess(host, [], AbortSignal.timeout(20_000)), manifests });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const hex = createHash('sha256').update('an image').digest('hex');
const attachment: Attachment = {
  subject: {
    registry: 'other.example',
    repository: 'app',
    tag: 'v1',
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${hex}`,
    size: 8,
    platforms: [],
  },
  artifactType: 'application/spdx+json',
  fileName: 'sbom.spdx.json',
  document: { spdxVersion: 'SPDX-2.3' },
  created: new Date(0),
};

test('a registry without lists of referrers gets them under a tag, with those that were there', async () => {
  await withRegistry(undefined, async ({ access, manifests }) => {
    const tag = `sha256-${hex}`;
    manifests.set(tag, JSON.stringify({ schemaVersion: 2, manifests: [{ digest: 'sha256:other' }] }));
    const first = await attachDocument(access, attachment);
    const second = await attachDocument(access, { ...attachment, document: {}, artifactType: 'application/vnd.in-toto+json' });
    const again = await attachDocument(access, attachment);
    assert.equal(again, first);
    const index = JSON.parse(manifests.get(tag) ?? '') as {
      readonly mediaType: string;
      readonly manifests: readonly { readonly digest: string; readonly artifactType?: string; readonly size?: number }[];
    };
    assert.equal(index.mediaType, 'application/vnd.oci.image.index.v1+json');
    assert.deepEqual(
      index.manifests.map(({ digest, artifactType }) => [digest, artifactType]),
      [
        ['sha256:other', undefined],
        [second, 'application/vnd.in-toto+json'],
        [first, 'application/spdx+json'],
      ],
    );
    assert.equal(index.manifests[2]?.size, manifests.get(first)?.length);
  });
});

test('a list of several pages is read to its end', async () => {
  const lists: Lists = (digests, page) => (page < 2 ? { listed: ['sha256:other'], isMore: true } : { listed: digests });
  await withRegistry(lists, async ({ access, manifests }) => {
    const digest = await attachDocument(access, attachment);
    assert.deepEqual([...manifests.keys()], [digest]);
  });
});

test('a registry that takes a document and does not list it is told of', async () => {
  await withRegistry(
    () => ({ listed: [] }),
    async ({ access }) => {
      await assert.rejects(attachDocument(access, attachment), { name: 'RegistryRefused', message: /does not list it/ });
    },
  );
});

import assert from 'node:assert/strict';
import { type Content, contentOf, digestOf, randomBytesOf } from '@berth/testkit';
import { type DefineCheck, type Protocol, assertError, assertStatus, protocolTests } from './protocol-tests.ts';
import { chunked } from './uploads.ts';

const size = 2048;

async function pushed(
  { client, newRepository }: Protocol,
  algorithm: 'sha256' | 'sha512' = 'sha256',
): Promise<{ path: string; blob: Content }> {
  const repository = newRepository();
  const blob = contentOf('application/octet-stream', randomBytesOf(size), algorithm);
  await client.pushBlob(repository, blob.bytes, algorithm);
  return { path: `/v2/${repository}/blobs/${blob.digest}`, blob };
}

const partial: readonly (readonly [string, number, number])[] = [
  ['bytes=500-1499', 500, 1500],
  ['bytes=500-', 500, size],
  ['bytes=-500', size - 500, size],
  ['bytes=2000-5000', 2000, size],
  ['bytes=0-0', 0, 1],
  ['bytes=0-', 0, size],
  [`bytes=${size - 1}-`, size - 1, size],
  ['bytes=-5000', 0, size],
  [`bytes=0-${Number.MAX_SAFE_INTEGER}`, 0, size],
];

const unsatisfiable = ['bytes=500-0', 'bytes=5000-10000', `bytes=${size}-`, 'bytes=-0', 'bytes=99999999999999999999-'];

/** RFC 9110, section 14.2: a server ignores what it does not understand, and may ignore several ranges. */
const ignored = [
  'bytes=0-0,2-2',
  `bytes=${Array.from({ length: 500 }, () => '0-').join(',')}`,
  'bytes=-',
  'bytes=a-b',
  'items=0-5',
  'bytes 0-5',
  'bytes=--5',
  'bytes=1-2-3',
  '',
];

function checkRanges(check: DefineCheck, algorithm: 'sha256' | 'sha512'): void {
  for (const [range, from, to] of partial) {
    check(`${algorithm}: ${range} is answered with that part`, async (protocol) => {
      const { path, blob } = await pushed(protocol, algorithm);
      const answer = await protocol.client.request('GET', path, { headers: { range } });
      assertStatus(answer, 206);
      assert.equal(answer.headers['content-range'], `bytes ${from}-${to - 1}/${size}`);
      assert.equal(answer.headers['content-length'], String(to - from));
      assert.ok(answer.body.equals(blob.bytes.subarray(from, to)));
      const head = await protocol.client.request('HEAD', path, { headers: { range } });
      assertStatus(head, 200, 206);
    });
  }

  check(`${algorithm}: what lies outside is 416 with the size`, async (protocol) => {
    const { path } = await pushed(protocol, algorithm);
    for (const range of unsatisfiable) {
      const answer = await protocol.client.request('GET', path, { headers: { range } });
      assertError(answer, 416, 'RANGE_INVALID');
      assert.equal(answer.headers['content-range'], `bytes */${size}`);
    }
  });
}

protocolTests('downloads of blobs', (check) => {
  for (const algorithm of ['sha256', 'sha512'] as const) checkRanges(check, algorithm);

  check('attack 10: many ranges, and what is no range, give the whole blob once', async (protocol) => {
    const { path, blob } = await pushed(protocol);
    for (const range of ignored) {
      const answer = await protocol.client.request('GET', path, { headers: { range } });
      assertStatus(answer, 200);
      assert.ok(answer.body.equals(blob.bytes), range.slice(0, 40));
    }
  });

  check('attack 10: every range of an empty blob is 416, and no range gives nothing', async ({ client, newRepository }) => {
    const repository = newRepository();
    const digest = await client.pushBlob(repository, Buffer.alloc(0));
    const path = `/v2/${repository}/blobs/${digest}`;
    for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=-0'])
      assertError(await client.request('GET', path, { headers: { range } }), 416, 'RANGE_INVALID');
    const whole = await client.request('GET', path);
    assertStatus(whole, 200);
    assert.deepEqual([whole.headers['content-length'], whole.body.length], ['0', 0]);
  });

  check('ranges cross the borders of chunks and of sealed segments', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const blob = contentOf('application/octet-stream', randomBytesOf(3 * 1024 * 1024 + 17));
    assertStatus(await chunked(protocol, repository, blob, { chunkBytes: 1_100_000 }), 201);
    const path = `/v2/${repository}/blobs/${blob.digest}`;
    const borders = [1_048_576, 1_100_000, 2_097_152, 2_200_000, 3_300_000 - 155_000, blob.bytes.length];
    for (const border of borders) {
      for (const [from, to] of [
        [border - 1, border + 1],
        [border - 40, border],
        [border, border + 40],
        [Math.max(0, border - 1_048_600), border + 5],
      ] as const) {
        const end = Math.min(to, blob.bytes.length);
        if (from >= end) continue;
        const answer = await client.request('GET', path, { headers: { range: `bytes=${from}-${to - 1}` } });
        assertStatus(answer, 206);
        assert.ok(answer.body.equals(blob.bytes.subarray(from, end)), `${from}-${to}`);
      }
    }
    assert.ok((await client.pull(repository, 'blobs', blob.digest)).equals(blob.bytes));
  });

  check('a client that has the blob is told so; If-Range counts only for the same blob', async (protocol) => {
    const { client } = protocol;
    const { path, blob } = await pushed(protocol);
    const etag = (await client.request('HEAD', path)).headers.etag ?? '';
    const unchanged = await client.request('GET', path, { headers: { 'if-none-match': etag } });
    assertStatus(unchanged, 304);
    assert.equal(unchanged.body.length, 0);
    assertStatus(await client.request('GET', path, { headers: { 'if-none-match': '"other"' } }), 200);
    assertStatus(await client.request('GET', path, { headers: { range: 'bytes=0-9', 'if-range': etag } }), 206);
    const whole = await client.request('GET', path, { headers: { range: 'bytes=0-9', 'if-range': '"other"' } });
    assertStatus(whole, 200);
    assert.ok(whole.body.equals(blob.bytes));
  });

  check('a blob is served only by the repository that has it', async ({ client, newRepository }) => {
    const [mine, other] = [newRepository(), newRepository()];
    const digest = await client.pushBlob(mine, randomBytesOf(10));
    await client.pushBlob(other, randomBytesOf(10));
    assertError(await client.request('GET', `/v2/${other}/blobs/${digest}`), 404, 'BLOB_UNKNOWN');
    assertError(await client.request('GET', `/v2/${mine}/sub/blobs/${digest}`), 404, 'BLOB_UNKNOWN');
  });

  check('attack 3: what is no digest is 400 in every place that takes one', async ({ client, newRepository }) => {
    const repository = newRepository();
    const good = digestOf(randomBytesOf(1));
    const bad = [
      'sha256:baddigeststring',
      good.toUpperCase(),
      `sha256:${'A'.repeat(64)}`,
      good.slice(0, -1),
      `${good}0`,
      'sha256:..%2f..%2fx',
      `md5:${'0'.repeat(32)}`,
      'sha256:',
      `%00${good}`,
      'latest',
    ];
    for (const digest of bad) {
      for (const method of ['GET', 'HEAD', 'DELETE'])
        assertStatus(await client.request(method, `/v2/${repository}/blobs/${digest}`), 400);
      assertError(await client.request('GET', `/v2/${repository}/referrers/${digest}`), 400, 'DIGEST_INVALID');
      assertError(
        await client.request('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: 'x' }),
        400,
        'DIGEST_INVALID',
      );
      assertError(await client.request('POST', `/v2/${repository}/blobs/uploads/?mount=${digest}`), 400, 'DIGEST_INVALID');
      if (digest === 'latest') continue;
      for (const method of ['GET', 'PUT', 'DELETE'])
        assertStatus(
          await client.request(method, `/v2/${repository}/manifests/${digest}`, {
            headers: { 'content-type': 'application/json' },
          }),
          400,
        );
    }
  });
});

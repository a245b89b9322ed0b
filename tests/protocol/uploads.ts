import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { Content } from '@berth/testkit';
import { type Protocol, assertStatus, locationOf } from './protocol-tests.ts';

export interface UploadOptions {
  /** The digest to claim instead of the right one. */
  readonly claim?: string;
  /** Default: one third of the content, at least 1 KiB. */
  readonly chunkBytes?: number;
  /** The last chunk comes with the PUT. */
  readonly isLastInPut?: boolean;
  /** Before each chunk another one is sent that does not belong there. */
  readonly isOutOfOrder?: boolean;
  /** Query of the POST, with `?`. */
  readonly query?: string;
}

const octets = 'application/octet-stream';

/** A way to push a blob. Resolves with the answer that ends the upload. */
export type Upload = (
  protocol: Protocol,
  repository: string,
  blob: Content,
  options?: UploadOptions,
) => ReturnType<Protocol['client']['request']>;

/** OCI end-4b: all in one request. */
export const postOnly: Upload = async ({ client }, repository, blob, { claim = blob.digest } = {}) =>
  client.request('POST', `/v2/${repository}/blobs/uploads/?digest=${claim}`, {
    body: blob.bytes,
    headers: { 'content-type': octets },
  });

/** OCI end-4a and end-6. */
export const postPut: Upload = async (protocol, repository, blob, { claim = blob.digest, query = '' } = {}) => {
  const session = await start(protocol, repository, query);
  return protocol.client.request('PUT', `${session}?digest=${claim}`, { body: blob.bytes, headers: { 'content-type': octets } });
};

/** OCI end-5 with a body of unknown length and no place. */
export const streamed: Upload = async (protocol, repository, blob, { claim = blob.digest } = {}) => {
  const session = await start(protocol, repository);
  const half = Math.ceil(blob.bytes.length / 2);
  const body = Readable.from([blob.bytes.subarray(0, half), blob.bytes.subarray(half)].filter((piece) => piece.length > 0));
  const patched = await protocol.client.request('PATCH', session, { body, headers: { 'content-type': octets } });
  assertStatus(patched, 202);
  return protocol.client.request('PUT', `${locationOf(patched)}?digest=${claim}`);
};

/** OCI end-5 with `Content-Range`, chunk by chunk. */
export const chunked: Upload = async (protocol, repository, blob, options = {}) => {
  const { claim = blob.digest, isLastInPut = false, isOutOfOrder = false } = options;
  const { client } = protocol;
  const { bytes } = blob;
  const chunkBytes = Math.min(bytes.length, options.chunkBytes ?? Math.max(1024, Math.floor(bytes.length / 3) + 1));
  let session = await start(protocol, repository, options.query);
  for (let from = 0; from < bytes.length; from += chunkBytes) {
    const to = Math.min(from + chunkBytes, bytes.length);
    if (isOutOfOrder) session = await sendMisplaced(protocol, session, { bytes, received: from, chunkBytes, isLastInPut, claim });
    const isPut = isLastInPut && to === bytes.length;
    const headers = { 'content-type': octets, 'content-range': `${from}-${to - 1}` };
    const sent = await client.request(isPut ? 'PUT' : 'PATCH', isPut ? `${session}?digest=${claim}` : session, {
      body: bytes.subarray(from, to),
      headers,
    });
    if (isPut) return sent;
    assertStatus(sent, 202);
    assert.equal(sent.headers.range, `0-${to - 1}`);
    session = locationOf(sent);
  }
  return client.request('PUT', `${session}?digest=${claim}`, { headers: { 'content-type': octets } });
};

/** Begins a session and resolves with its path. */
export async function start({ client }: Protocol, repository: string, query = ''): Promise<string> {
  const answer = await client.request('POST', `/v2/${repository}/blobs/uploads/${query}`);
  assertStatus(answer, 202);
  return locationOf(answer);
}

interface Misplaced {
  readonly bytes: Buffer;
  readonly received: number;
  readonly chunkBytes: number;
  readonly isLastInPut: boolean;
  readonly claim: string;
}

/** Skips a chunk, or goes back to the beginning: 416, and the session tells where it stands. */
async function sendMisplaced(
  { client }: Protocol,
  session: string,
  { bytes, received, chunkBytes, isLastInPut, claim }: Misplaced,
): Promise<string> {
  const from = received + chunkBytes < bytes.length ? received + chunkBytes : 0;
  if (from === received) return session;
  const to = Math.min(from + chunkBytes, bytes.length);
  const isPut = isLastInPut && to === bytes.length;
  const headers = { 'content-type': octets, 'content-range': `${from}-${to - 1}` };
  const refused = await client.request(isPut ? 'PUT' : 'PATCH', isPut ? `${session}?digest=${claim}` : session, {
    body: bytes.subarray(from, to),
    headers,
  });
  assertStatus(refused, 416);
  const state = await client.request('GET', session);
  assertStatus(state, 204);
  assert.equal(state.headers.range, `0-${Math.max(0, received - 1)}`);
  return locationOf(state);
}

/** The blob is there: by HEAD, by GET, and at the Location that ended its upload. */
export async function assertStored({ client }: Protocol, repository: string, blob: Content, location?: string): Promise<void> {
  const path = `/v2/${repository}/blobs/${blob.digest}`;
  const head = await client.request('HEAD', path);
  assertStatus(head, 200);
  assert.deepEqual(
    [head.headers['content-length'], head.headers['docker-content-digest'], head.body.length],
    [String(blob.bytes.length), blob.digest, 0],
  );
  for (const each of location === undefined ? [path] : [path, location]) {
    const got = await client.request('GET', each);
    assertStatus(got, 200);
    assert.deepEqual(
      [got.headers['content-length'], got.headers['docker-content-digest']],
      [String(blob.bytes.length), blob.digest],
    );
    assert.ok(got.body.equals(blob.bytes));
  }
}

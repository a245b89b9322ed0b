import assert from 'node:assert/strict';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { mediaTypes } from '@berth/oci';
import { createOutbound } from '../outbound/index.ts';
import { RemoteError, RemoteRepository, parseRegistryAddress } from './index.ts';

const document = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
const { signal } = new AbortController();

interface Asked {
  readonly request: string;
  readonly body: string;
  readonly authorization: string | undefined;
}

/** A registry that wants this header for manifests, and whose token service answers so. */
async function serve(t: TestContext, wanted: string, answerToken: (asked: Asked) => object | undefined) {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url = '', headers } = request;
    const one = { request: `${method} ${url.split('?')[0]}`, body: await text(request), authorization: headers.authorization };
    asked.push(one);
    if (url.startsWith('/oauth2/')) {
      const token = answerToken(one);
      response.writeHead(token === undefined ? 401 : 200).end(JSON.stringify(token ?? {}));
    } else if (headers.authorization === wanted) response.writeHead(200, { 'content-type': mediaTypes.ociIndex }).end(document);
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${headers.host}/oauth2/token",service="it"` }).end();
  };
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const outbound = createOutbound({ allow: ['127.0.0.1'] });
  t.after(() => {
    outbound.close();
    server.close();
  });
  const address = parseRegistryAddress(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  assert.ok(address !== undefined);
  const patience = { outbound, clock: { now: () => 0 }, wait: () => Promise.resolve() };
  const open = (credentials: { username?: string; password: string } | undefined) =>
    new RemoteRepository({ patience, address, repository: 'app', credentials });
  return { open, asked };
}

test('a token of the directory becomes one of the registry', async (t) => {
  const { open, asked } = await serve(t, 'Bearer access', ({ request, body }) => {
    const fields = new URLSearchParams(body);
    if (request === 'POST /oauth2/exchange')
      return fields.get('access_token') === 'entra' ? { refresh_token: 'refresh' } : undefined;
    return fields.get('refresh_token') === 'refresh' && fields.get('scope') === 'repository:app:pull'
      ? { access_token: 'access' }
      : undefined;
  });
  const repository = open({ password: 'entra' });
  assert.equal((await repository.manifest('v1', signal)).bytes.toString(), document);
  await repository.manifest('v1', signal);
  assert.deepEqual(
    asked.map(({ request }) => request),
    ['GET /v2/', 'POST /oauth2/exchange', 'POST /oauth2/token', 'GET /v2/app/manifests/v1', 'GET /v2/app/manifests/v1'],
  );
});

test('a password without a name that is no token of the directory is one of the registry', async (t) => {
  const basic = `Basic ${Buffer.from('00000000-0000-0000-0000-000000000000:refresh').toString('base64')}`;
  const { open } = await serve(t, 'Bearer access', ({ authorization }) =>
    authorization === basic ? { token: 'access' } : undefined,
  );
  await open({ password: 'refresh' }).manifest('v1', signal);
  await assert.rejects(
    open({ password: 'other' }).manifest('v1', signal),
    (error) => error instanceof RemoteError && error.kind === 'denied',
  );
});

test('without credentials an anonymous token is asked for, once for all that wait', async (t) => {
  const { open, asked } = await serve(t, 'Bearer open', ({ authorization }) =>
    authorization === undefined ? { token: 'open' } : undefined,
  );
  const repository = open(undefined);
  await Promise.all([repository.manifest('v1', signal), repository.manifest('v2', signal), repository.manifest('v3', signal)]);
  assert.equal(asked.filter(({ request }) => request === 'GET /oauth2/token').length, 1);
});

test('a token that is none, or does not help, ends it', async (t) => {
  const { open, asked } = await serve(t, 'Bearer wanted', () => ({ token: 'a\r\nX-Evil: b' }));
  await assert.rejects(open({ username: 'a', password: 'b' }).manifest('v1', signal), /without a token/);
  const useless = await serve(t, 'Bearer wanted', () => ({ token: 'useless' }));
  await assert.rejects(useless.open({ username: 'a', password: 'b' }).manifest('v1', signal), /does not let app be read/);
  assert.ok(asked.length < 5 && useless.asked.length < 7);
});

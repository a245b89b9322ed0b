import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { readForm, readJson } from './read-body.ts';
import { operationOf, startTestServer } from './test-server.ts';

const schema = Type.Object(
  { count: Type.Integer({ minimum: 1 }), name: Type.Optional(Type.String()) },
  { additionalProperties: false },
);

test('attack 44: a JSON body fits its schema as it is, or is refused with what is wrong', async (t) => {
  const operation = operationOf('POST', '/json', { body: schema });
  const { url } = await startTestServer(t, [
    { operation, handle: async (request) => ({ status: 200, body: { json: await readJson(request, schema) } }) },
  ]);
  const send = async (body: string): Promise<readonly [number, string]> => {
    const answer = await fetch(`${url}/json`, { method: 'POST', body });
    return [answer.status, await answer.text()];
  };
  assert.deepEqual(await send('{"count":2,"name":"a"}'), [200, '{"count":2,"name":"a"}']);
  for (const body of [
    '{"count":"2"}',
    '{"count":0}',
    '{"count":2,"more":1}',
    '{"count":2,"__proto__":{"a":1}}',
    '{"count":2,"constructor":1}',
    '[]',
    'null',
    '{"count":2',
    '',
    'count=2',
    '"\\u0000"',
  ]) {
    const [status, text] = await send(body);
    assert.equal(status, 400, body);
    assert.match(text, /"errors":\[\{"code":"UNSUPPORTED","message":"the body /, body);
  }
});

test('small bodies are bounded, with a length and without', async (t) => {
  const operation = operationOf('POST', '/form', { body: 'form' });
  const { url } = await startTestServer(t, [
    { operation, handle: async (request) => ({ status: 200, body: { json: [...(await readForm(request))] } }) },
  ]);
  const answer = await fetch(`${url}/form`, { method: 'POST', body: 'scope=a+b&scope=c%2Fd' });
  assert.deepEqual(await answer.json(), [
    ['scope', 'a b'],
    ['scope', 'c/d'],
  ]);
  const large = 'a'.repeat(64 * 1024 + 1);
  assert.equal((await fetch(`${url}/form`, { method: 'POST', body: large })).status, 400);
  const endless = new Blob([large]).stream();
  const chunked = await fetch(`${url}/form`, { method: 'POST', body: endless, duplex: 'half' });
  assert.equal(chunked.status, 400);
  assert.match(await chunked.text(), /larger than 65536 bytes/);
});

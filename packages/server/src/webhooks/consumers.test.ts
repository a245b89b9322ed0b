import assert from 'node:assert/strict';
import { test } from 'node:test';
import { payloadOf } from './payloads.ts';

/** Programs that read ACR's payloads, by what their public sources and documents say they read. */

const digest = `sha256:${'c'.repeat(64)}`;
const request = { id: 'r', host: 'registry.example:5000', method: 'PUT', useragent: 'docker/28' };
const image = {
  repository: 'team/app',
  tag: 'v1',
  digest,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  sizeBytes: 524,
};
const happening = { action: 'push', ...image, clock: 1024 * Date.UTC(2030, 0, 1), request } as const;
const body = JSON.stringify(
  payloadOf(happening, { id: 'cb8c3971-9adc-488b-bdd8-43cbb4974ff5', loginServer: 'registry.example' }),
);
type Json = Readonly<Record<string, unknown>>;
const { action, target, request: asked, ...rest } = JSON.parse(body) as { action: string; target: Json; request: Json } & Json;

test('Keel reads target.repository, target.tag, target.digest and request.host (pkg/http, azureHandler), and refuses an empty tag', () => {
  assert.deepEqual([target['repository'], target['tag'], target['digest']], ['team/app', 'v1', digest]);
  // It builds the image's name from these two.
  assert.equal(`${asked['host']}/${target['repository']}`, 'registry.example:5000/team/app');
  assert.notEqual(target['tag'], '');
});

test('Flux reads action, target.repository and target.tag as texts (notification-controller, ACRReceiver)', () => {
  for (const value of [action, target['repository'], target['tag']]) assert.equal(typeof value, 'string');
  assert.deepEqual([action, target['repository'], target['tag']], ['push', 'team/app', 'v1']);
});

test('typed clients of ACR read sizes as 32 bit integers and times as RFC 3339', () => {
  for (const name of ['size', 'length']) assert.ok(Number.isInteger(target[name]) && Number(target[name]) < 2 ** 31);
  assert.equal(Date.parse(String(rest['timestamp'])), Date.UTC(2030, 0, 1));
  assert.deepEqual(Object.keys(JSON.parse(body) as Json), ['id', 'timestamp', 'action', 'target', 'request']);
});

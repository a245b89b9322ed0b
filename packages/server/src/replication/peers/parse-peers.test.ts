import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '../../errors/index.ts';
import { loadSettings } from '../../settings/index.ts';
import { parsePeers } from './parse-peers.ts';

const peerKey = 'a key of the regions which is long enough';

function parse(settings: Readonly<Record<string, string>>, cwd = '/') {
  return parsePeers(loadSettings({ argv: [], env: { BERTH_REGION: 'east', ...settings }, cwd }).settings);
}

async function refused(settings: Readonly<Record<string, string>>, message: RegExp, cwd?: string): Promise<void> {
  await assert.rejects(
    async () => parse(settings, cwd),
    (error) =>
      error instanceof Refusal && message.test(error.message) && error.nextStep !== '' && !error.message.includes(peerKey),
  );
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'berth-peers-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('one list serves all regions: the own name in it is passed over', async () => {
  const peers = ' West=https://west.example/ ,east=https://east.example,north=http://10.0.0.1:5000';
  const { region, others, keys, authorities } = await parse({ BERTH_PEERS: peers, BERTH_PEER_KEY: peerKey });
  assert.equal(region, 'east');
  assert.deepEqual(others, [
    { name: 'west', address: 'https://west.example' },
    { name: 'north', address: 'http://10.0.0.1:5000' },
  ]);
  assert.equal(keys?.length, 1);
  assert.equal(authorities, undefined);
});

test('a deployment of its own has neither peers nor keys; a key alone lets others ask', async () => {
  const { others, keys } = await parse({});
  assert.deepEqual([others, keys], [[], undefined]);
  assert.equal((await parse({ BERTH_PEER_KEY: `${peerKey},${peerKey}!` })).keys?.length, 2);
});

test('what cannot work is refused in one sentence', async (t) => {
  const peers = 'west=https://west.example';
  await refused({ BERTH_PEERS: peers }, /without peerKey/);
  await refused({ BERTH_PEERS: peers, BERTH_PEER_KEY: 'short' }, /5 characters/);
  await refused({ BERTH_PEERS: peers, BERTH_PEER_KEY: `${peerKey},${peerKey},${peerKey}` }, /more than 2/);
  for (const [bad, message] of [
    ['west', /NAME=ADDRESS/],
    ['west=ftp://west.example', /http/],
    ['west=https://user:secret@west.example', /host and a port/],
    ['west=https://west.example/path', /host and a port/],
    ['west=https://a.example,WEST=https://b.example', /twice/],
  ] as const)
    await refused({ BERTH_PEERS: bad, BERTH_PEER_KEY: peerKey }, message);
  const cwd = await folder(t);
  await writeFile(join(cwd, 'ca.pem'), 'no certificate');
  await writeFile(join(cwd, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  for (const [file, message] of [
    ['missing.pem', /cannot be read/],
    ['ca.pem', /holds no certificate/],
    ['broken.pem', /holds no certificate/],
  ] as const)
    for (const setting of ['BERTH_PEER_CA', 'BERTH_PEER_CLIENT_CA'])
      await refused({ BERTH_PEERS: peers, BERTH_PEER_KEY: peerKey, BERTH_TLS: 'auto', [setting]: file }, message, cwd);
});

test('a certificate to show comes with its key, and is asked for where TLS ends here', async (t) => {
  const cwd = await folder(t);
  await refused({ BERTH_PEER_CERT: 'east.pem' }, /peerCert is set without peerCertKey/);
  await refused({ BERTH_PEER_CERT_KEY: 'east-key.pem' }, /peerCertKey is set without peerCert/);
  await refused({ BERTH_PEER_CERT: 'east.pem', BERTH_PEER_CERT_KEY: 'east-key.pem' }, /east\.pem cannot be read/, cwd);
  await refused({ BERTH_PEER_CLIENT_CA: 'ca.pem' }, /speaks no TLS/);
});

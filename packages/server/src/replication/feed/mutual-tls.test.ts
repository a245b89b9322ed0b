import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { type CertificatePair, makeAuthority, makeServerCertificate } from '../../platform/tls/make-certificate.ts';
import { type CertificateSource, openCertificateFiles } from '../../platform/tls/index.ts';
import { PeerError } from '../peers/model.ts';
import { signal, startTold } from './test-told-region.ts';

const hour = 3_600_000;

function validity({ from = -hour, until = hour } = {}) {
  return { from: Date.now() + from, until: Date.now() + until };
}

/** Authorities of regions, and certificates that they issue, as files. */
class TestAuthority {
  readonly #folder: string;
  readonly #pair: CertificatePair;

  static async open(t: TestContext): Promise<TestAuthority> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-mutual-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const pair = await makeAuthority('authority of the regions', validity());
    await writeFile(join(folder, 'ca.pem'), pair.certificate);
    return new TestAuthority(folder, pair);
  }

  constructor(folder: string, pair: CertificatePair) {
    this.#folder = folder;
    this.#pair = pair;
  }

  get file(): string {
    return join(this.#folder, 'ca.pem');
  }

  /** Writes another one under that name if there is one. */
  async issue(name: string, period = validity()): Promise<void> {
    const { certificate, key } = await makeServerCertificate(this.#pair, [name], period);
    await writeFile(join(this.#folder, `${name}.pem`), certificate);
    await writeFile(join(this.#folder, `${name}-key.pem`), key);
  }

  source(name: string): Promise<CertificateSource> {
    const files = { cert: join(this.#folder, `${name}.pem`), key: join(this.#folder, `${name}-key.pem`) };
    return openCertificateFiles({ ...files, flags: ['--peer-cert', '--peer-cert-key'] });
  }
}

async function refusal(asking: Promise<unknown>): Promise<PeerError> {
  const error: unknown = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof PeerError, String(error));
  return error;
}

forEachEngine((engine) => {
  test('a region that has to show a certificate is refused without one that its authority issued, whatever its key', async (t) => {
    const [ours, strange] = [await TestAuthority.open(t), await TestAuthority.open(t)];
    const { west, as } = await startTold(engine, t, { tls: 'auto', peerClientCa: ours.file });
    const authorities = await readFile(join(west.dataDir, 'tls', 'authority.pem'), 'utf8');
    await ours.issue('east');
    await ours.issue('old', validity({ from: -2 * hour, until: -hour }));
    await strange.issue('east');
    for (const certificate of [undefined, await ours.source('old'), await strange.source('east')]) {
      const { kind, message, remedy } = await refusal(
        as('east', { authorities, ...(certificate && { certificate }) }).facts(signal),
      );
      assert.equal(kind, 'unauthenticated');
      assert.match(message, /certificate/);
      assert.match(remedy, /peerCert and peerCertKey/);
    }
    const certified = as('east', { authorities, certificate: await ours.source('east') });
    // The second time on a connection that is open already, or a session that is resumed.
    for (let times = 0; times < 2; times += 1) assert.equal((await certified.facts(signal)).region, 'west');
    const otherKey = as('east', {
      authorities,
      certificate: await ours.source('east'),
      key: 'another key of the regions and long enough',
    });
    assert.match((await refusal(otherKey.facts(signal))).message, /was not signed with a key/);
  });

  test('a certificate is replaced without a restart, on both sides; clients need none', async (t) => {
    const ours = await TestAuthority.open(t);
    const { west, as } = await startTold(engine, t, { tls: 'auto', peerClientCa: ours.file });
    const authorities = await readFile(join(west.dataDir, 'tls', 'authority.pem'), 'utf8');
    await ours.issue('east', validity({ from: -2 * hour, until: -hour }));
    const certificate = await ours.source('east');
    const peer = as('east', { authorities, certificate });
    assert.equal((await refusal(peer.facts(signal))).kind, 'unauthenticated');
    await ours.issue('east');
    assert.equal(await certificate.reload(Date.now()), true);
    assert.equal((await peer.facts(signal)).region, 'west');
    // West's own certificate is read again, too, and it goes on asking.
    await rm(join(west.dataDir, 'tls', 'server.pem'));
    await west.reloadCertificate();
    assert.equal((await refusal(as('east', { authorities }).facts(signal))).kind, 'unauthenticated');
    assert.equal((await as('east', { authorities, certificate }).facts(signal)).region, 'west');
    const [answer] = (await once(get(`${west.url}/v2/`, { ca: authorities }), 'response')) as [IncomingMessage];
    answer.resume();
    assert.equal(answer.statusCode, 401);
  });
});

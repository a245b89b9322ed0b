import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '../../errors/index.ts';
import { readCertificateFiles } from './certificate-files.ts';
import { openLocalCertificate } from './local-certificate.ts';

const day = 86_400_000;
const now = Date.now();

test('--tls auto makes an authority and a certificate for every name, with keys that only the owner reads', async (t) => {
  const folder = join(await temporaryFolder(t), 'tls');
  const { cert, authorityFile, names } = await openLocalCertificate({ folder, names: ['registry.example.com'], now });
  const certificate = new X509Certificate(cert);
  for (const name of ['localhost', 'registry.example.com']) assert.equal(certificate.checkHost(name), name);
  for (const address of ['127.0.0.1', '::1']) assert.ok(certificate.checkIP(address), address);
  assert.ok(names.includes('localhost'));
  assert.equal(authorityFile, join(folder, 'authority.pem'));
  for (const key of ['authority-key.pem', 'server-key.pem'])
    assert.equal((await stat(join(folder, key))).mode & 0o777, 0o600, key);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
});

test('a certificate is used again until it ends soon, and the authority outlives it', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openLocalCertificate({ folder, names: [], now });
  assert.equal((await openLocalCertificate({ folder, names: [], now: now + 300 * day })).cert, first.cert);
  const renewed = await openLocalCertificate({ folder, names: [], now: now + 340 * day });
  assert.notEqual(renewed.cert, first.cert);
  assert.equal(authorityOf(renewed.cert), authorityOf(first.cert));
});

test('a new name makes a new certificate of the same authority', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openLocalCertificate({ folder, names: [], now });
  const second = await openLocalCertificate({ folder, names: ['other.example.com'], now });
  assert.notEqual(second.cert, first.cert);
  assert.equal(authorityOf(second.cert), authorityOf(first.cert));
});

test('what a crash or a stranger left in the files is replaced', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openLocalCertificate({ folder, names: [], now });
  await writeFile(join(folder, 'server-key.pem'), 'half a ke');
  const second = await openLocalCertificate({ folder, names: [], now });
  assert.notEqual(second.key, first.key);
  assert.equal(authorityOf(second.cert), authorityOf(first.cert));
});

test('certificate files that cannot serve are refused in one sentence', async (t) => {
  const flags = ['--tls-cert', '--tls-key'] as const;
  const folder = await temporaryFolder(t);
  await openLocalCertificate({ folder, names: [], now });
  const file = (name: string): string => join(folder, name);
  assert.ok(
    (await readCertificateFiles({ cert: file('server.pem'), key: file('server-key.pem'), flags })).cert.startsWith(
      '-----BEGIN CERTIFICATE-----',
    ),
  );
  await assert.rejects(
    readCertificateFiles({ cert: file('server.pem'), key: file('authority-key.pem'), flags }),
    refusing(/does not belong to the first certificate/),
  );
  await assert.rejects(
    readCertificateFiles({ cert: file('missing.pem'), key: file('server-key.pem'), flags }),
    refusing(/missing\.pem cannot be read/),
  );
  await writeFile(file('nonsense.pem'), 'nonsense');
  await assert.rejects(
    readCertificateFiles({ cert: file('nonsense.pem'), key: file('server-key.pem'), flags }),
    refusing(/are not a PEM certificate/),
  );
});

function refusing(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof Refusal && pattern.test(error.message) && error.nextStep !== '';
}

/** The second certificate of the chain. */
function authorityOf(chain: string): string {
  return chain.split('-----END CERTIFICATE-----')[1] ?? '';
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-tls-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

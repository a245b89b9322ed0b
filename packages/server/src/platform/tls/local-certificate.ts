import { X509Certificate, createPrivateKey } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { CertificatePair } from './make-certificate.ts';
import type { Certificate } from './certificate-files.ts';

export interface LocalCertificateOptions {
  /** Folder for both certificates and their keys; made when missing. */
  readonly folder: string;
  /** Names and addresses beside those that every machine has. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface LocalCertificate extends Certificate {
  /** PEM file of the authority, for clients to trust. */
  readonly authorityFile: string;
  readonly names: readonly string[];
}

const hour = 3_600_000;
const day = 24 * hour;
/** Clients refuse server certificates that live longer than about thirteen months. */
const serverLifeMs = 365 * day;
const authorityLifeMs = 3650 * day;
/** So long before its end a certificate is replaced. */
const renewalMs = 30 * day;
/** Clients whose clocks are behind accept it, too. */
const skewMs = hour;

/**
 * The certificate of `--tls auto`: made by a local authority at the first start, used again at later ones, replaced when
 * it ends soon or lacks a name. The authority stays, so that clients that trust it go on trusting.
 */
export async function openLocalCertificate({ folder, names, now }: LocalCertificateOptions): Promise<LocalCertificate> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const wanted = certificateNames(names);
  const authorityFiles = filesOf(folder, 'authority');
  const serverFiles = filesOf(folder, 'server');
  let authority = await readPair(authorityFiles);
  if (authority === undefined || endsBy(authority, now + serverLifeMs)) {
    const { makeAuthority } = await import('./make-certificate.ts');
    authority = await makeAuthority(`Berth local authority ${hostname()}`, { from: now - skewMs, until: now + authorityLifeMs });
    await writePair(authorityFiles, authority);
  }
  let server = await readPair(serverFiles);
  if (server === undefined || endsBy(server, now + renewalMs) || !isIssuedBy(server, authority) || !coversAll(server, wanted)) {
    const { makeServerCertificate } = await import('./make-certificate.ts');
    server = await makeServerCertificate(authority, wanted, { from: now - skewMs, until: now + serverLifeMs });
    await writePair(serverFiles, server);
  }
  return { cert: server.certificate, key: server.key, authorityFile: authorityFiles.certificate, names: wanted };
}

function certificateNames(names: readonly string[]): readonly string[] {
  return [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...names].map((name) => name.toLowerCase()))];
}

interface PairFiles {
  readonly certificate: string;
  readonly key: string;
}

function filesOf(folder: string, name: string): PairFiles {
  return { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) };
}

/** Undefined when a file is missing or the two do not belong together: then both are made anew. */
async function readPair(files: PairFiles): Promise<CertificatePair | undefined> {
  try {
    const pair = { certificate: await readFile(files.certificate, 'utf8'), key: await readFile(files.key, 'utf8') };
    return new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key)) ? pair : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') throw error;
    return undefined;
  }
}

/** The key first: a crash in between leaves a pair that does not match, which the next start replaces. */
async function writePair(files: PairFiles, pair: CertificatePair): Promise<void> {
  await writeWhole(files.key, pair.key, 0o600);
  await writeWhole(files.certificate, pair.certificate, 0o644);
}

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(draft, mode);
  await rename(draft, path);
}

function endsBy(pair: CertificatePair, time: number): boolean {
  return Date.parse(new X509Certificate(pair.certificate).validTo) <= time;
}

function isIssuedBy(pair: CertificatePair, authority: CertificatePair): boolean {
  const issuer = new X509Certificate(authority.certificate);
  const certificate = new X509Certificate(pair.certificate);
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function coversAll(pair: CertificatePair, names: readonly string[]): boolean {
  const certificate = new X509Certificate(pair.certificate);
  return names.every(
    (name) => (isIP(name) === 0 ? certificate.checkHost(name, { subject: 'never' }) : certificate.checkIP(name)) !== undefined,
  );
}

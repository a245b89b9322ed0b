import { type Certificate, type CertificateFiles, readCertificateFiles } from './certificate-files.ts';
import { openLocalCertificate } from './local-certificate.ts';

export interface CertificateOptions {
  readonly tls: 'off' | 'auto';
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  /** Where `auto` keeps what it makes. */
  readonly folder: string;
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A certificate that this server shows, and where it comes from. */
export interface CertificateSource {
  current(): Certificate;
  /** Reads, or renews, the certificate again. Resolves with whether it changed; keeps the old one if that fails. */
  reload(now: number): Promise<boolean>;
  /** Only with `auto`. */
  readonly authorityFile: string | undefined;
}

/** Undefined when the server speaks plain HTTP. @throws Refusal */
export async function openCertificate({
  tls,
  tlsCert,
  tlsKey,
  folder,
  names,
  now,
}: CertificateOptions): Promise<CertificateSource | undefined> {
  if (tls === 'auto') {
    const first = await openLocalCertificate({ folder, names, now });
    return sourceOf(first, (time) => openLocalCertificate({ folder, names, now: time }), first.authorityFile);
  }
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return openCertificateFiles({ cert: tlsCert, key: tlsKey, flags: ['--tls-cert', '--tls-key'] });
}

/** A certificate of files, read now. @throws Refusal */
export async function openCertificateFiles(files: CertificateFiles): Promise<CertificateSource> {
  const read = () => readCertificateFiles(files);
  return sourceOf(await read(), read, undefined);
}

function sourceOf(
  first: Certificate,
  read: (now: number) => Promise<Certificate>,
  authorityFile: string | undefined,
): CertificateSource {
  let current = first;
  return {
    current: () => current,
    reload: async (now) => {
      const { cert, key } = await read(now);
      const isChanged = cert !== current.cert || key !== current.key;
      if (isChanged) current = { cert, key };
      return isChanged;
    },
    authorityFile,
  };
}

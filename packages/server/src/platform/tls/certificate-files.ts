import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Refusal } from '../../errors/index.ts';

/** PEM texts, as Node's TLS server takes them. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** How an operator says which files, in the same order. */
  readonly flags: readonly [string, string];
}

/** Reads a certificate chain and its key. @throws Refusal when one cannot be read or they do not belong together */
export async function readCertificateFiles(files: CertificateFiles): Promise<Certificate> {
  const { cert: certFile, key: keyFile, flags } = files;
  const cert = await readPem(certFile, { what: 'certificate', flag: flags[0] });
  const key = await readPem(keyFile, { what: 'key', flag: flags[1] });
  let isPair: boolean;
  try {
    isPair = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw new Refusal(
      `${certFile} and ${keyFile} are not a PEM certificate and its unencrypted PEM key`,
      `correct ${flags[0]} and ${flags[1]}`,
      { cause: error },
    );
  }
  if (!isPair) {
    throw new Refusal(
      `the key ${keyFile} does not belong to the first certificate in ${certFile}`,
      'put the certificate that the key belongs to first in the file',
    );
  }
  return { cert, key };
}

async function readPem(path: string, { what, flag }: { readonly what: string; readonly flag: string }): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Refusal(
      `the TLS ${what} file ${path} cannot be read`,
      `give the path of a PEM file that this user can read with ${flag}`,
      { cause: error },
    );
  }
}

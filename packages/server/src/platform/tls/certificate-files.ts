import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Refusal } from '../../errors/index.ts';

/** PEM texts, as Node's TLS server takes them. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Reads a certificate chain and its key. @throws Refusal when one cannot be read or they do not belong together */
export async function readCertificateFiles(certFile: string, keyFile: string): Promise<Certificate> {
  const cert = await readPem(certFile, 'certificate');
  const key = await readPem(keyFile, 'key');
  let isPair: boolean;
  try {
    isPair = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw new Refusal(
      `${certFile} and ${keyFile} are not a PEM certificate and its unencrypted PEM key`,
      'correct --tls-cert and --tls-key',
      { cause: error },
    );
  }
  if (!isPair) {
    throw new Refusal(
      `the key ${keyFile} does not belong to the first certificate in ${certFile}`,
      "put the server's own certificate first in the file, and give its own key",
    );
  }
  return { cert, key };
}

async function readPem(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Refusal(
      `the TLS ${what} file ${path} cannot be read`,
      `give the path of a PEM file that this user can read with --tls-${what === 'key' ? 'key' : 'cert'}`,
      { cause: error },
    );
  }
}

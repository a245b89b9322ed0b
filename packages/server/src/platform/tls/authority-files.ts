import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Refusal } from '../../errors/index.ts';

/** The PEM certificates of a file that a setting names. @throws Refusal when there are none */
export async function readAuthorities(file: string, setting: string): Promise<string> {
  const remedy = 'give a PEM file with certificates of authorities';
  let pem: string;
  try {
    pem = await readFile(file, 'utf8');
  } catch (error) {
    throw new Refusal(`the file of ${setting}, ${file}, cannot be read`, remedy, { cause: error });
  }
  if (!holdsCertificates(pem)) throw new Refusal(`the file of ${setting}, ${file}, holds no certificate`, remedy);
  return pem;
}

function holdsCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).subject !== undefined);
  } catch {
    return false;
  }
}

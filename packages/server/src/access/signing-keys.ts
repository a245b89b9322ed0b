import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { ManagedKeyRing, SigningKey } from '../platform/keys/index.ts';

/** The signing keys of the deployment, the oldest first; makes the first one. */
export async function ensureSigningKeys(keys: ManagedKeyRing): Promise<readonly SigningKey[]> {
  const existing = await keys.signingKeys();
  if (existing.some((key) => key.isCurrent)) return existing;
  const pair = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  await keys.addFirstSigningKey({
    id: randomBytes(8).toString('hex'),
    privateKey: pair.privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey: JSON.stringify(pair.publicKey.export({ format: 'jwk' })),
  });
  return keys.signingKeys();
}

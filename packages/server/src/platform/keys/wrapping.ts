import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** A key that wraps other keys and never touches content. */
export interface WrappingKey {
  readonly id: string;
  /** 32 bytes. */
  readonly material: Buffer;
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM with a random nonce. `purpose` is bound in: a wrapped key does not open in another key's place. */
export function wrap(key: WrappingKey, purpose: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key.material, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(purpose));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined when the bytes were not wrapped by this key for this purpose. */
export function unwrap(key: WrappingKey, purpose: string, wrapped: Uint8Array): Buffer | undefined {
  if (wrapped.length < nonceBytes + tagBytes) return undefined;
  const tagStart = wrapped.length - tagBytes;
  const decipher = createDecipheriv(algorithm, key.material, wrapped.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(purpose)).setAuthTag(wrapped.subarray(tagStart));
  try {
    return Buffer.concat([decipher.update(wrapped.subarray(nonceBytes, tagStart)), decipher.final()]);
  } catch {
    return undefined;
  }
}

export const dataKeyPurpose = (registryId: number, keyId: string): string => `data-key:${registryId}:${keyId}`;
export const signingKeyPurpose = (keyId: string): string => `signing-key:${keyId}`;

import { randomBytes } from 'node:crypto';
import { unwrap, wrap } from '../keys/wrapping.ts';
import type { RegionKeys } from './region-keys.ts';

/**
 * Text that one region hands another, sealed with a key of its own that is wrapped with each key of the regions: whoever has one of
 * them opens it, so that keys can be changed one region after the other.
 */

const contentKeyBytes = 32;
/** Nonce, key, tag. */
const wrappedBytes = 12 + contentKeyBytes + 16;
const maxKeys = 4;

/** Base64. `purpose` is bound in: it does not open as something else. */
export function sealForRegions(keys: RegionKeys, purpose: string, text: string): string {
  const material = randomBytes(contentKeyBytes);
  const wrapped = keys.map(({ sealing }) => wrap({ id: '', material: sealing }, `key of ${purpose}`, material));
  const content = wrap({ id: '', material }, purpose, Buffer.from(text, 'utf8'));
  return Buffer.concat([Buffer.of(wrapped.length), ...wrapped, content]).toString('base64');
}

/** Undefined when it was not sealed with one of these keys for this purpose, or was changed. */
export function openFromRegion(keys: RegionKeys, purpose: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  const count = bytes[0] ?? 0;
  const contentStart = 1 + count * wrappedBytes;
  if (count === 0 || count > maxKeys || bytes.length < contentStart) return undefined;
  for (let index = 0; index < count; index += 1) {
    const start = 1 + index * wrappedBytes;
    for (const { sealing } of keys) {
      const material = unwrap({ id: '', material: sealing }, `key of ${purpose}`, bytes.subarray(start, start + wrappedBytes));
      if (material !== undefined) return unwrap({ id: '', material }, purpose, bytes.subarray(contentStart))?.toString('utf8');
    }
  }
  return undefined;
}

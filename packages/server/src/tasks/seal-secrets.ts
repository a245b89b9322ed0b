import type { KeyRing } from '../platform/keys/index.ts';
import { openBytes, sealBytes } from '../platform/sealing/index.ts';
import type { SealedText } from './model.ts';

/** Seals a secret of a task for its registry: copied to another one, it does not open. @throws KEY_UNAVAILABLE */
export function sealText(keys: KeyRing, registryId: number, text: string): SealedText {
  const key = keys.current(registryId);
  return { sealed: sealBytes(key, purposeOf(registryId), Buffer.from(text)).toString('base64'), dataKeyId: key.id };
}

/** @throws KEY_UNAVAILABLE, SealBrokenError */
export function openText(keys: KeyRing, registryId: number, { sealed, dataKeyId }: SealedText): string {
  return openBytes(keys.get(registryId, dataKeyId), purposeOf(registryId), Buffer.from(sealed, 'base64')).toString('utf8');
}

function purposeOf(registryId: number): string {
  return `task-secret:${registryId}`;
}

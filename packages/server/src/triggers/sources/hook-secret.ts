import { randomBytes } from 'node:crypto';
import type { KeyRing } from '../../platform/keys/index.ts';
import { openBytes, sealBytes } from '../../platform/sealing/index.ts';
import type { SealedText } from '../../tasks/index.ts';
import type { SourcePlace } from './source-state.ts';

/** A secret for hooks: random, and in the form in which GitLab takes keys to sign with. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

export function sealSecret(keys: KeyRing, place: SourcePlace, secret: string): SealedText {
  const key = keys.current(place.registryId);
  return { sealed: sealBytes(key, sealName(place), Buffer.from(secret)).toString('base64'), dataKeyId: key.id };
}

/** @throws KEY_UNAVAILABLE, SealBrokenError */
export function openSecret(keys: KeyRing, place: SourcePlace, { sealed, dataKeyId }: SealedText): string {
  return openBytes(keys.get(place.registryId, dataKeyId), sealName(place), Buffer.from(sealed, 'base64')).toString('utf8');
}

function sealName({ registryId, task, name }: SourcePlace): string {
  return `source-hook:${registryId}:${task}:${name}`;
}

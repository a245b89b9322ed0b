import type { RunToQueue } from '@berth/api';
import type { KeyRing } from '../platform/keys/index.ts';
import { openBytes, sealBytes } from '../platform/sealing/index.ts';
import type { RunAccess } from './model.ts';

/** What only agents are told of a run. */
export interface SealedRequest {
  readonly request: RunToQueue;
  readonly access: readonly RunAccess[];
  readonly cacheKey: string;
  readonly maySecrets: boolean;
}

interface RequestName {
  readonly registryId: number;
  readonly runId: string;
}

export function sealRequest(
  keys: KeyRing,
  { registryId, runId }: RequestName,
  request: SealedRequest,
): { readonly dataKeyId: string; readonly sealed: Uint8Array } {
  const key = keys.current(registryId);
  return { dataKeyId: key.id, sealed: sealBytes(key, nameOf(registryId, runId), Buffer.from(JSON.stringify(request))) };
}

/** @throws KEY_UNAVAILABLE, SealBrokenError */
export function openRequest(
  keys: KeyRing,
  { registryId, runId }: RequestName,
  { dataKeyId, sealed }: { readonly dataKeyId: string; readonly sealed: Uint8Array },
): SealedRequest {
  const bytes = openBytes(keys.get(registryId, dataKeyId), nameOf(registryId, runId), sealed);
  return JSON.parse(bytes.toString('utf8')) as SealedRequest;
}

function nameOf(registryId: number, runId: string): string {
  return `run:${registryId}:${runId}`;
}

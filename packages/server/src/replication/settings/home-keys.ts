import { RegistryError } from '../../errors/index.ts';
import type { KeyRing } from '../../platform/keys/index.ts';
import { SealBrokenError, openBytes, sealBytes } from '../../platform/sealing/index.ts';

/** What a region keeps of other regions' credentials for a registry that they hold, too: so that it outlives their being down. */
export interface HomeKeys {
  /** Of a replica, once it has the settings of its home region. */
  readonly home?: {
    readonly registryId: number;
    /** `key`: base64. */
    readonly verifierKeys: readonly { readonly id: string; readonly key: string }[];
  };
  /** By name; the other regions and this one. */
  readonly regions: readonly {
    readonly name: string;
    readonly loginServer: string;
    readonly tokenKeys: readonly Readonly<Record<string, unknown>>[];
  }[];
}

export interface SealedHomeKeys {
  readonly dataKeyId: string;
  readonly sealed: Uint8Array;
}

/** @throws KEY_UNAVAILABLE */
export function sealHomeKeys(keys: KeyRing, registryId: number, what: HomeKeys): SealedHomeKeys {
  const key = keys.current(registryId);
  return { dataKeyId: key.id, sealed: sealBytes(key, seal(registryId), Buffer.from(JSON.stringify(what))) };
}

/** Undefined when they cannot be opened: then other regions' credentials are refused until the next settings come. */
export function openHomeKeys(keys: KeyRing, registryId: number, { dataKeyId, sealed }: SealedHomeKeys): HomeKeys | undefined {
  try {
    return JSON.parse(openBytes(keys.get(registryId, dataKeyId), seal(registryId), sealed).toString('utf8')) as HomeKeys;
  } catch (error) {
    if (error instanceof SealBrokenError || error instanceof RegistryError) return undefined;
    throw error;
  }
}

/** The associated data: a row of one registry does not open as another's. */
function seal(registryId: number): string {
  return `home-keys:${registryId}`;
}

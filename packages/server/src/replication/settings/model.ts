import type { Registry } from '../../tenancy/index.ts';
import type { PeerFacts } from '../peers/model.ts';

/** What this region tells other regions about the registries that it holds. */
export interface RegistriesTold {
  /** What a region is to know: registries that both are to hold, those that it is to give up, keys of tokens. */
  listFor(region: string): Promise<Pick<PeerFacts, 'registries' | 'removed' | 'refused' | 'tokenKeys'>>;
  /** Whether a region may ask about a registry: both are to hold it. */
  isHeldBy(registry: Registry, region: string): Promise<boolean>;
  /** The settings of a registry whose home is this region, as JSON, to be sealed. @throws NOT_FOUND at a replica */
  settingsOf(registry: Registry): Promise<{ readonly version: string; readonly json: string }>;
}

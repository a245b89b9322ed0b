import type { Need } from '@berth/api';

/** Whoever is authenticated. Basic and Bearer of the same credential give the same rights. */
export interface Principal {
  readonly kind: 'admin' | 'anonymous';
  /** Stable and unique within a registry; owns upload sessions. `admin:<username>` or `anonymous`. */
  readonly id: string;
  readonly registryId: number;
  /** The one permission check. For Bearer it is the intersection of the token's access and the owner's present rights. */
  permits(need: Need): boolean;
  /** What a token with more scope would permit; the same as `permits` where no token narrows it. Never grounds to serve. */
  couldPermit(need: Need): boolean;
}

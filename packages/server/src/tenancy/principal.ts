import type { Need } from '@berth/api';

/**
 * `admin`: the registry's admin user. `token`: a repository-scoped token. `identity`: a service principal of the
 * directory, or whom a trusted issuer vouches for. `agent`: what executes runs. `run`: a run, while it goes on. `region`: another
 * region of the registry. `anonymous`: nobody.
 */
export type PrincipalKind = 'admin' | 'token' | 'identity' | 'agent' | 'run' | 'region' | 'anonymous';

/** What an agent's key says about whoever signs in with it. */
export interface AgentFacts {
  readonly keyId: string;
  /** Null: the pool that every registry has. */
  readonly agentPool: string | null;
  /** It takes runs of every registry of the deployment. */
  readonly isShared: boolean;
}

/** Whoever is authenticated. Basic and Bearer of the same credential give the same rights. */
export interface Principal {
  readonly kind: PrincipalKind;
  /** Stable and unique within a registry; owns upload sessions. `admin:<username>`, `token:<name>`, `identity:<object id>`, `agent:<key id>`, `run:<run id>`, `region:<name>`, `anonymous`. */
  readonly id: string;
  /** How people call it: in the audit trail, in `systemData`. */
  readonly name: string;
  /** Of agents. */
  readonly agent?: AgentFacts;
  /** The one permission check. For Bearer it is the intersection of the token's access and the owner's present rights. */
  permits(need: Need): boolean;
  /** What a token with more scope would permit; the same as `permits` where no token narrows it. Never grounds to serve. */
  couldPermit(need: Need): boolean;
}

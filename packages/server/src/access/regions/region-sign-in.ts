import { hash } from 'node:crypto';
import { RegistryError } from '../../errors/index.ts';
import type { Need } from '@berth/api';
import type { Clock } from '../../platform/clock.ts';
import { Recent } from '../../platform/recent.ts';
import { type RegionKeys, type RegionTokenProblem, verifyRegionToken } from '../../platform/region-keys/index.ts';
import type { Principal } from '../../tenancy/index.ts';

/** The user name of regions: no user, token or identity can be called so (attack 24). */
export const regionUser = '$region';

/** A region makes a token every few minutes for each of its processes. */
const maxRemembered = 1_000;

/** Whom this region takes for another one. */
export interface RegionSignInRules {
  /** This region. */
  readonly region: string;
  readonly keys: RegionKeys;
  readonly maxClockSkewMs: number;
}

/**
 * Signs other regions in, by tokens that the key of the regions signed. They belong to no registry, and no password is
 * checked: a wrong token costs one keyed hash for each key, and there is nothing in it to guess.
 */
export class RegionSignIn {
  readonly #trust: RegionSignInRules | undefined;
  readonly #clock: Clock;
  readonly #onFailure: () => void;
  /** Tokens that were right, by hash. */
  readonly #remembered = new Recent<{ readonly principal: Principal; readonly expiresAt: number }>({ maxEntries: maxRemembered });

  constructor(
    trust: RegionSignInRules | undefined,
    { clock, onFailure }: { readonly clock: Clock; readonly onFailure: () => void },
  ) {
    this.#trust = trust;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Without waiting for a token that was seen before. @throws UNAUTHORIZED */
  principalOf(token: string): Principal | Promise<Principal> {
    const key = hash('sha256', token, 'base64');
    const known = this.#remembered.get(key);
    return known !== undefined && this.#clock.now() < known.expiresAt ? known.principal : this.#verify(token, key);
  }

  async #verify(token: string, key: string): Promise<Principal> {
    if (this.#trust === undefined) throw this.#refused('this deployment has no key for regions (setting peerKey)', 'key');
    const { region: to, ...rules } = this.#trust;
    const answer = await verifyRegionToken(token, { ...rules, to, now: this.#clock.now() });
    if (answer.problem !== undefined) throw this.#refused(sentences[answer.problem], answer.problem);
    const principal = regionPrincipal(answer.region);
    this.#remembered.set(key, { principal, expiresAt: answer.expiresAt });
    return principal;
  }

  /** The reason tells the other region what its operator has to do. */
  #refused(message: string, reason: RegionTokenProblem): RegistryError {
    this.#onFailure();
    return new RegistryError('UNAUTHORIZED', { message, detail: { reason } });
  }
}

const sentences: Readonly<Record<RegionTokenProblem, string>> = {
  key: 'the token of the region was not signed with a key that is known here',
  clock: 'the token of the region is over, or not valid yet: the clocks of the two regions differ',
  region: 'the token was made for another region, or by a region with the name of this one',
};

/** Another region: what regions ask one another, and nothing else. */
function regionPrincipal(name: string): Principal {
  const permits = (need: Need): boolean => need.type === 'region';
  return { kind: 'region', id: `region:${name}`, name, permits, couldPermit: permits };
}

import { randomUUID } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import type { Jws } from './jws.ts';
import type { SignedInIdentities } from './signed-in.ts';
import { refused } from './token-signer.ts';

/** The audience of tokens that are good for `/oauth2/exchange` alone (acr-api 2.5). */
const registryAudience = 'https://containerregistry.azure.net';

const lifetimeSeconds = 60 * 60;
const skewSeconds = 60;

/** What a token is good for: everything of the resource manager, or signing in to a registry only. */
export type TokenUse = 'management' | 'registry';

export interface ManagerClaims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly oid: string;
  readonly tid: string;
  readonly appid: string;
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  readonly jti: string;
  readonly ver: '1.0';
  /** Ours: no token of the data plane has it, and it names the tenant, so that tokens of the two are never mixed up (attack 20). */
  readonly berth: { readonly use: TokenUse; readonly owner: SignedInIdentities };
}

export interface ManagerTokenContent {
  readonly issuer: string;
  /** As the client asked for it. */
  readonly audience: string;
  readonly clientId: string;
  readonly owner: SignedInIdentities;
}

/** Makes and checks tokens of the built-in issuer, which the resource manager takes. */
export class ManagerTokens {
  readonly #jws: Jws;
  readonly #clock: Clock;
  readonly #tenantId: string;

  constructor({ jws, clock, tenantId }: { readonly jws: Jws; readonly clock: Clock; readonly tenantId: string }) {
    this.#jws = jws;
    this.#clock = clock;
    this.#tenantId = tenantId;
  }

  issue({ issuer, audience, clientId, owner }: ManagerTokenContent): { readonly token: string; readonly claims: ManagerClaims } {
    const now = Math.floor(this.#clock.now() / 1000);
    const [{ id } = { id: '' }] = owner.identities;
    const use: TokenUse = audience.replace(/\/+$/, '') === registryAudience ? 'registry' : 'management';
    const claims: ManagerClaims = {
      iss: issuer,
      aud: audience,
      sub: id,
      oid: id,
      tid: this.#tenantId,
      appid: clientId,
      iat: now,
      nbf: now,
      exp: now + lifetimeSeconds,
      jti: randomUUID(),
      ver: '1.0',
      berth: { use, owner },
    };
    return { token: this.#jws.sign(claims), claims };
  }

  /** Whether a token that our keys signed is of this kind. */
  isOne(token: string): boolean {
    const payload = this.#jws.open(token);
    return payload !== undefined && claimsOf(payload).berth !== undefined;
  }

  /** Whom a token stands for, if it is one of these and good now. @throws UNAUTHORIZED */
  verify(token: string): ManagerClaims {
    const payload = this.#jws.open(token);
    const claims = payload === undefined ? undefined : claimsOf(payload);
    // Our own signature stands below it: whatever has these members was written by `issue`.
    if (claims?.berth === undefined || claims.tid !== this.#tenantId) throw refused('it is not one of this deployment');
    const whole = claims as ManagerClaims;
    const now = this.#clock.now() / 1000;
    if (now >= whole.exp) throw refused('it has expired');
    if (now < whole.nbf - skewSeconds) throw refused('it is not valid yet');
    return whole;
  }
}

function claimsOf(payload: string): Partial<ManagerClaims> {
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Partial<ManagerClaims>;
}

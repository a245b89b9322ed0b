import { SignJWT, errors, jwtVerify } from 'jose';
import type { RegionKey, RegionKeys } from './region-keys.ts';

/** What a region sends with the name `$region` as its password: a token that is good for minutes, for one other region. */

const algorithm = 'HS256';
const lifetimeSeconds = 300;
const maxLength = 2048;
const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export interface RegionTokenFacts {
  /** The region that asks. */
  readonly from: string;
  /** The region that is asked. */
  readonly to: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function signRegionToken(key: RegionKey, { from, to, now }: RegionTokenFacts): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
    .setIssuer(from)
    .setAudience(to)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + lifetimeSeconds)
    .sign(key.signing);
}

/** `key`: no key of ours signed it. The others are said only of tokens that one did. */
export type RegionTokenProblem = 'key' | 'clock' | 'region';

export type RegionTokenAnswer =
  | { readonly region: string; readonly expiresAt: number; readonly problem?: undefined }
  | { readonly problem: RegionTokenProblem };

export interface RegionTokenRules {
  /** The region that is asked. */
  readonly to: string;
  readonly keys: RegionKeys;
  readonly now: number;
  /** By how much the clocks may differ. */
  readonly maxClockSkewMs: number;
}

/** Who signed in with a token. `expiresAt`: when it is over, by this region's clock (ms). */
export async function verifyRegionToken(token: string, rules: RegionTokenRules): Promise<RegionTokenAnswer> {
  if (token.length > maxLength) return { problem: 'key' };
  for (const key of rules.keys) {
    const answer = await verifyWith(token, key, rules);
    if (answer.problem !== 'key') return answer;
  }
  return { problem: 'key' };
}

async function verifyWith(
  token: string,
  { signing }: RegionKey,
  { to, now, maxClockSkewMs }: RegionTokenRules,
): Promise<RegionTokenAnswer> {
  try {
    const { payload } = await jwtVerify(token, signing, {
      // No other algorithm, and never none (attack 19).
      algorithms: [algorithm],
      audience: to,
      currentDate: new Date(now),
      clockTolerance: Math.ceil(maxClockSkewMs / 1000),
      maxTokenAge: lifetimeSeconds,
      requiredClaims: ['iss', 'exp'],
    });
    const { iss: region = '', iat = 0, exp = 0 } = payload;
    // A region with the name of this one is this one, or wrongly named.
    if (!namePattern.test(region) || region === to) return { problem: 'region' };
    return { region, expiresAt: Math.min(exp, iat + lifetimeSeconds) * 1000 + maxClockSkewMs };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { problem: 'clock' };
    if (!(error instanceof errors.JWTClaimValidationFailed)) return { problem: 'key' };
    return { problem: error.claim === 'aud' ? 'region' : 'clock' };
  }
}

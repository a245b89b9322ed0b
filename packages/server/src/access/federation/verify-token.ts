import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { RegistryError } from '../../errors/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { type KeySet, parseKeySet } from './key-set.ts';

/** Signatures by a private key alone: whoever knows the public keys could make any other (attack 19). */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];
const maxTokenLength = 16 * 1024;
const skewSeconds = 60;
/** A token of a job or a pod lives minutes or hours; one that lives for years is a stored secret. */
const maxLifetimeSeconds = 24 * 60 * 60;

/** An issuer that the operator trusts, with its keys where it cannot be asked for them. */
export interface TrustedIssuer {
  readonly issuer: string;
  /** JSON. */
  readonly jwks: string | null;
}

export interface VerifiedToken {
  readonly issuer: string;
  readonly claims: JWTPayload;
  readonly subject: string;
  /** Milliseconds. */
  readonly expiresAt: number;
}

export interface VerifyContext {
  readonly clock: Clock;
  readonly keys: IssuerKeys;
  /** The issuer of exactly this name, if somebody trusts it: asked before anything is fetched. */
  readonly findIssuer: (issuer: string) => Promise<TrustedIssuer | undefined>;
}

/** What a token of a trusted issuer says, if it is genuine and valid now. @throws UNAUTHORIZED, UNAVAILABLE */
export async function verifyToken(context: VerifyContext, token: string): Promise<VerifiedToken> {
  const name = issuerOf(token);
  const trusted = await context.findIssuer(name);
  if (trusted === undefined)
    throw refused(`its issuer ${quote(name)} is not trusted here; an operator trusts it with "berth issuer add"`);
  const claims = await verifiedClaims(context, token, trusted);
  const { iat = 0, exp = 0, sub } = claims;
  const now = context.clock.now() / 1000;
  if (iat > now + skewSeconds) throw refused('it was issued in the future; compare the clocks');
  if (exp - iat > maxLifetimeSeconds) throw refused('it lives longer than 24 hours; ask the issuer for one that expires sooner');
  if (typeof sub !== 'string' || sub === '') throw refused('it names no subject (sub)');
  return { issuer: trusted.issuer, claims, subject: sub, expiresAt: exp * 1000 };
}

/** What the token says its issuer is: nothing more is believed before the signature has been checked. */
function issuerOf(token: string): string {
  if (token.length > maxTokenLength) throw refused(`it is longer than ${maxTokenLength} bytes`);
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token)?.[1];
  if (payload === undefined) throw refused('it is no signed JSON Web Token');
  const { iss } = parsePayload(payload);
  if (typeof iss !== 'string' || iss === '') throw refused('it names no issuer (iss)');
  return iss;
}

function parsePayload(payload: string): { readonly iss?: unknown } {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    throw refused('it is no JSON Web Token');
  }
}

async function verifiedClaims(
  { clock, keys }: VerifyContext,
  token: string,
  { issuer, jwks }: TrustedIssuer,
): Promise<JWTPayload> {
  // Loaded late: most servers trust no issuer, and every start would pay for it.
  const { createLocalJWKSet, errors, jwtVerify } = await import('jose');
  const verify = async (set: KeySet): Promise<JWTPayload> => {
    const options = {
      algorithms,
      issuer,
      requiredClaims: ['iss', 'aud', 'exp', 'iat', 'sub'],
      clockTolerance: skewSeconds,
      currentDate: new Date(clock.now()),
    };
    // Whatever key or address of keys the header carries, the set is all that is looked at (attack 19).
    const find: JWTVerifyGetKey = createLocalJWKSet({ keys: [...set.keys] });
    return (await jwtVerify(token, find, options)).payload;
  };
  try {
    if (jwks !== null) return await verify(parseKeySet(JSON.parse(jwks)));
    const known = await keys.keysOf(issuer);
    try {
      return await verify(known);
    } catch (error) {
      // The issuer may have taken another key since.
      const newer = error instanceof errors.JWKSNoMatchingKey ? await keys.newKeysOf(issuer) : undefined;
      if (newer === undefined) throw error;
      return await verify(newer);
    }
  } catch (error) {
    if (error instanceof errors.JOSEError) throw refused(reasonOf(error.code, (error as { claim?: unknown }).claim), error);
    throw error;
  }
}

/** In our own words, by the codes of jose. */
function reasonOf(code: string, claim: unknown): string {
  switch (code) {
    case 'ERR_JWT_EXPIRED':
      return 'it has expired';
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return claim === 'nbf' ? 'it is not valid yet; compare the clocks' : `its claim ${String(claim)} is missing or wrong`;
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return 'its issuer has no such key';
    case 'ERR_JWKS_MULTIPLE_MATCHING_KEYS':
      return 'it does not say which key of its issuer signed it (kid)';
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return 'its signature is wrong';
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
    case 'ERR_JOSE_NOT_SUPPORTED':
      return `its algorithm is not one of ${algorithms.join(', ')}, or the key does not fit it`;
    default:
      return 'it is malformed';
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

function refused(why: string, cause?: unknown): RegistryError {
  return new RegistryError('UNAUTHORIZED', { message: `the token is refused: ${why}`, cause });
}

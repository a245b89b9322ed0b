import { RegistryError } from '../../errors/index.ts';
import { missingNarrowClaim } from '../federation/claim-pattern.ts';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const namePattern = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;
/** Words of our own for principals. */
const reserved = ['anonymous', 'admin', 'token', 'identity'];

const maxAudiences = 10;
const maxClaims = 20;
const maxClaimNameLength = 256;

export function isGuid(text: string): boolean {
  return guid.test(text);
}

/** @throws INVALID_PARAMETER */
export function parseGuid(text: string, what: string): string {
  if (!isGuid(text)) throw invalid(`${what} must be a GUID, such as the output of uuidgen`, what);
  return text.toLowerCase();
}

/**
 * The name of an identity: nobody can mistake it for a client id, the user name of tokens, or a principal of ours
 * (attack 24). @throws INVALID_PARAMETER
 */
export function parseIdentityName(text: string): string {
  const name = parseName(text, 'the name of an identity');
  if (isGuid(name) || reserved.includes(name))
    throw invalid(`an identity cannot be called "${name}"; choose another name`, 'name');
  return name;
}

/** @throws INVALID_PARAMETER */
export function parseCredentialName(text: string): string {
  return parseName(text, 'the name of a federated credential');
}

function parseName(text: string, what: string): string {
  if (!namePattern.test(text))
    throw invalid(
      `${what} is 1 to 64 lower-case letters, digits, ".", "_" and "-", and begins and ends with a letter or digit`,
      'name',
    );
  return text;
}

/** Which tokens of an issuer sign in. */
export interface Rule {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly claims: Readonly<Record<string, string>>;
}

/** @throws INVALID_PARAMETER when it would let in more than one can mean */
export function parseRule({ issuer, audiences, claims }: Rule): Rule {
  if (audiences.length === 0 || audiences.length > maxAudiences)
    throw invalid(`name 1 to ${maxAudiences} audiences; the login server of the registry is a good one`, 'audiences');
  const names = Object.keys(claims);
  if (names.length === 0 || names.length > maxClaims)
    throw invalid(`name 1 to ${maxClaims} claims that tokens must have, such as sub`, 'claims');
  if (names.some((name) => name === '' || name.length > maxClaimNameLength))
    throw invalid(`the name of a claim has 1 to ${maxClaimNameLength} characters`, 'claims');
  const missing = missingNarrowClaim(issuer, claims);
  if (missing !== undefined)
    throw invalid(
      `${issuer} signs tokens for everybody: one of the claims ${missing.join(', ')} must say whose are meant, with a whole name before the first "*", as repo:acme/* does`,
      'claims',
    );
  // In one order: the same rule is stored as the same text.
  const sorted = Object.fromEntries(Object.entries(claims).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { issuer, audiences: [...new Set(audiences)].toSorted(), claims: sorted };
}

/** When a secret expires, in milliseconds. @throws INVALID_PARAMETER */
export function parseExpiry(text: string | undefined, now: number): number | null {
  if (text === undefined) return null;
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw invalid('expiresAt is a time like 2027-01-31T12:00:00Z', 'expiresAt');
  if (time <= now) throw invalid('expiresAt has passed already', 'expiresAt');
  return time;
}

export function invalid(message: string, target: string): RegistryError {
  return new RegistryError('INVALID_PARAMETER', { message, target });
}

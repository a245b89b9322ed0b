import type { Access } from './scope.ts';
import type { SignedIn } from './signed-in.ts';

export type GrantType = 'access_token' | 'refresh_token';

/** What Berth puts into its tokens: ACR's claims (acr-api 2.4), and `owner`, which is ours. */
export interface Claims {
  readonly jti: string;
  readonly sub: string;
  readonly iss: string;
  readonly aud: string;
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  readonly version: '1.0';
  readonly grant_type: GrantType;
  readonly roles: readonly string[];
  readonly access?: readonly Access[];
  /** Absent in tokens that stand for nobody; whatever `sub` says (attack 24). */
  readonly owner?: SignedIn;
}

/** The claims in the middle part of a token whose signature is good; undefined when one is missing or of another shape. */
export function parseClaims(payload: string): Claims | undefined {
  const claims = decode(payload);
  return isClaims(claims) ? claims : undefined;
}

function isClaims(value: unknown): value is Claims {
  if (!isRecord(value)) return false;
  const { sub, iss, aud, iat, nbf, exp, grant_type, version, access, owner } = value;
  return (
    [sub, iss, aud, grant_type].every((text) => typeof text === 'string') &&
    [iat, nbf, exp].every(Number.isSafeInteger) &&
    version === '1.0' &&
    (access === undefined || (Array.isArray(access) && access.every(isAccess))) &&
    (owner === undefined || isOwner(owner))
  );
}

function isAccess(value: unknown): value is Access {
  return (
    isRecord(value) && typeof value['type'] === 'string' && typeof value['name'] === 'string' && Array.isArray(value['actions'])
  );
}

function isOwner(value: unknown): value is SignedIn {
  if (!isRecord(value)) return false;
  const { kind, username, generation, slot, since, identities } = value;
  if (typeof username !== 'string') return false;
  switch (kind) {
    case undefined:
      return (slot === 'password' || slot === 'password2') && [generation, since].every(Number.isSafeInteger);
    case 'token':
      return (slot === 'password1' || slot === 'password2') && Number.isSafeInteger(since);
    case 'machine':
      return typeof value['id'] === 'string';
    case 'identity':
      return Array.isArray(identities) && identities.length > 0 && identities.every(isIdentity);
    default:
      return false;
  }
}

function isIdentity(value: unknown): boolean {
  return isRecord(value) && typeof value['id'] === 'string' && typeof value['credential'] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

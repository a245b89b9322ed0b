import { createPublicKey } from 'node:crypto';
import { RegistryError } from '../../errors/index.ts';
import type { TrustedIssuerRow } from '../../platform/database/index.ts';
import { requireMadeHere } from '../written-elsewhere.ts';
import type { FederationContext } from './sign-in-federated.ts';
import { type KeySet, hasPrivateKey, parseKeySet } from './key-set.ts';
import { allIssuers, findIssuer } from './queries.ts';
import { deleteIssuer, putIssuer } from './transactions.ts';

/** Trusts an issuer, with its keys where it cannot be asked for them. @throws INVALID_PARAMETER, CONFLICT, HOME_REGION_ONLY */
export async function trustIssuer(
  { database, clock, keys }: FederationContext,
  { issuer, jwks }: { readonly issuer: string; readonly jwks: unknown },
): Promise<unknown> {
  await requireMadeHere(database.read, { kind: 'issuer', subject: issuer });
  const set = jwks === undefined ? undefined : checkKeys(jwks);
  if (set === undefined) requireReachable(issuer);
  const row = { issuer, jwks: set === undefined ? null : JSON.stringify(set), created_at: clock.now() };
  if ((await database.write(putIssuer, row)) === 'full')
    throw new RegistryError('CONFLICT', { message: 'there are as many trusted issuers as there may be; remove one first' });
  keys.forget(issuer);
  return describeIssuer({ ...row, created_at: (await findIssuer(database.read, issuer))?.created_at ?? row.created_at });
}

export async function showIssuers({ database }: FederationContext): Promise<unknown> {
  return { issuers: (await allIssuers(database.read)).map(describeIssuer) };
}

/** @throws NOT_FOUND, HOME_REGION_ONLY */
export async function distrustIssuer({ database, keys, onDistrust }: FederationContext, issuer: string): Promise<void> {
  await requireMadeHere(database.read, { kind: 'issuer', subject: issuer });
  const isDeleted = await database.write(deleteIssuer, { issuer });
  keys.forget(issuer);
  onDistrust();
  if (!isDeleted)
    throw new RegistryError('NOT_FOUND', { message: `no issuer ${JSON.stringify(issuer.slice(0, 200))} is trusted` });
}

/** Where keys are asked for over the network, nobody in between may exchange them. */
function requireReachable(issuer: string): void {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '');
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  const isPlain = url?.username === '' && url.password === '' && !/[?#\s]/.test(issuer);
  if (isSafe && isPlain) return;
  throw invalid('an issuer is an https address as its tokens spell it (iss), unless its keys are given, too', 'issuer');
}

function checkKeys(jwks: unknown): KeySet {
  let set: KeySet;
  try {
    set = parseKeySet(jwks);
    for (const key of set.keys) createPublicKey({ key, format: 'jwk' });
  } catch (error) {
    throw invalid(
      `the keys cannot be used: ${error instanceof Error && !('code' in error) ? error.message : 'one of them is malformed'}`,
      'jwks',
      error,
    );
  }
  if (hasPrivateKey(set))
    throw invalid('the key set holds private keys; give the public ones, and replace these: they are known now', 'jwks');
  return set;
}

function describeIssuer({ issuer, jwks, created_at }: TrustedIssuerRow): object {
  return { issuer, hasKeys: jwks !== null, createdAt: new Date(created_at).toISOString() };
}

function invalid(message: string, target: string, cause?: unknown): RegistryError {
  return new RegistryError('INVALID_PARAMETER', { message, target, cause });
}

import { randomUUID } from 'node:crypto';
import type { FederatedCredentialRow } from '../../platform/database/index.ts';
import { findIssuer } from '../federation/queries.ts';
import {
  type DirectoryContext,
  missing,
  requireAdded,
  requireIdentity,
  requireOwnIdentity,
  timeText,
} from './directory-context.ts';
import { type Rule, invalid, parseCredentialName, parseRule } from './model.ts';
import { credentialsOf } from './queries.ts';
import { deleteCredential, putCredential } from './transactions.ts';

/** Lets tokens that match a rule sign in as an identity. @throws NOT_FOUND, INVALID_PARAMETER, CONFLICT */
export async function trustTokens(
  context: DirectoryContext,
  { identity, name, rule }: { readonly identity: string; readonly name: string; readonly rule: Rule },
): Promise<unknown> {
  const { id: identity_id } = await requireOwnIdentity(context, identity);
  const { issuer, audiences, claims } = parseRule(rule);
  if ((await findIssuer(context.database.read, issuer)) === undefined)
    throw invalid(`${issuer} is no trusted issuer; trust it first with "berth issuer add"`, 'issuer');
  const row: FederatedCredentialRow = {
    id: randomUUID(),
    identity_id,
    name: parseCredentialName(name),
    issuer,
    audiences: JSON.stringify(audiences),
    claims: JSON.stringify(claims),
    created_at: context.clock.now(),
  };
  requireAdded(await context.database.write(putCredential, row), 'a federated credential');
  context.onChange(identity_id);
  return showCredential(context, identity, name);
}

/** @throws NOT_FOUND */
export async function showCredential(context: DirectoryContext, identity: string, name: string): Promise<unknown> {
  const { id } = await requireIdentity(context, identity);
  const found = (await credentialsOf(context.database.read, id)).find((each) => each.name === name);
  if (found === undefined) throw missing('the identity has no federated credential of this name');
  return describeCredential(found);
}

/** @throws NOT_FOUND */
export async function removeCredential(context: DirectoryContext, identity: string, name: string): Promise<void> {
  const { id: identityId } = await requireOwnIdentity(context, identity);
  const isDeleted = await context.database.write(deleteCredential, { identityId, name });
  context.onChange(identityId);
  if (!isDeleted) throw missing('the identity has no federated credential of this name');
}

export function describeCredential({ name, issuer, audiences, claims, created_at }: FederatedCredentialRow): object {
  return {
    name,
    issuer,
    audiences: JSON.parse(audiences) as unknown,
    claims: JSON.parse(claims) as unknown,
    createdAt: timeText(created_at),
  };
}

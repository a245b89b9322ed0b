import { RegistryError } from '../errors/index.ts';
import type { Principal } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { findIdentity } from './account-queries.ts';
import { type Identity } from './account-queries.ts';
import { standingIdentities } from './accounts.ts';
import { identityPrincipal, managerRights } from './principals.ts';
import { directoryId } from './generated-passwords.ts';
import type { SignedInIdentities } from './signed-in.ts';
import { refused } from './token-signer.ts';

/** What a client of an OAuth 2 token endpoint presents (RFC 6749, section 2.3; RFC 7523, section 2.2). */
export interface ClientCredentials {
  readonly clientId: string;
  readonly secret: string | undefined;
  /** A token of a trusted issuer in place of a secret. */
  readonly assertion: string | undefined;
}

/** The service principal that credentials belong to. @throws UNAUTHORIZED */
export async function signInClient(
  context: AccessContext,
  { clientId, secret, assertion }: ClientCredentials,
): Promise<SignedInIdentities> {
  if (assertion !== undefined) return context.signInFederated(assertion, clientId);
  const found = await findIdentity(context.database.read, { clientId: clientId.toLowerCase() });
  const now = context.clock.now();
  const secrets = (found?.secrets ?? []).filter(({ expires_at }) => expires_at === null || now < expires_at);
  const right = context.generated.findAmong(secrets, directoryId, secret ?? '');
  if (found?.isEnabled !== true || right === undefined) {
    context.signIn.countFailure();
    throw new RegistryError('UNAUTHORIZED', { message: 'the client id or the client secret is wrong' });
  }
  await context.accounts.identityNow(found.id);
  return { kind: 'identity', username: found.name, identities: [{ id: found.id, credential: right.id }] };
}

/** Who calls the resource manager. @throws UNAUTHORIZED */
export async function authenticateManager(context: AccessContext, token: string): Promise<Principal> {
  const { berth } = context.managerTokens.verify(token);
  if (berth.use !== 'management') throw refused('it was made for a registry, not for the resource manager');
  const found: (Identity | undefined)[] = [];
  for (const { id } of berth.owner.identities) found.push(await context.accounts.identity(id));
  const standing = standingIdentities(berth.owner, found, context.clock.now());
  if (standing.length === 0) throw refused('the credential that it was issued for is gone');
  return identityPrincipal(
    berth.owner,
    standing.map((identity) => managerRights(identity)),
  );
}

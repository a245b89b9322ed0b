import { randomUUID } from 'node:crypto';
import type { AccessContext } from './access-context.ts';
import { directoryId, generateSecret } from './generated-passwords.ts';
import { createOwner } from './owner-transaction.ts';

export interface OwnerCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * Makes the identity that owns the deployment, once, and tells its secret durably before it counts. A crash between the
 * two leaves a secret that is told but unknown, and the next start makes another.
 */
export async function ensureOwner(
  context: AccessContext,
  {
    subscriptionId,
    announce,
  }: { readonly subscriptionId: string; readonly announce: (owner: OwnerCredentials) => Promise<void> },
): Promise<void> {
  const deployment = await context.database.read.selectFrom('deployment').select('owner_identity_id').executeTakeFirst();
  if (deployment !== undefined && deployment.owner_identity_id !== null) return;
  const clientId = randomUUID();
  const clientSecret = generateSecret();
  await announce({ clientId, clientSecret });
  await context.database.write(createOwner, {
    identityId: randomUUID(),
    clientId,
    secretId: randomUUID(),
    verifier: context.generated.verifierOf(directoryId, clientSecret),
    assignmentId: randomUUID(),
    scope: `/subscriptions/${subscriptionId}`,
    now: context.clock.now(),
  });
}

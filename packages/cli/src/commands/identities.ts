import { randomUUID } from 'node:crypto';
import { identities as operations } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import { CommandError } from '../command-error.ts';
import type { Connection } from '../connection.ts';
import { type Output, show } from '../output.ts';

interface Identity {
  readonly id: string;
  readonly clientId: string;
  readonly name: string;
  readonly isEnabled: boolean;
}

interface WholeIdentity extends Identity {
  readonly secrets: readonly { readonly id: string; readonly expiresAt: string | null }[];
  readonly federatedCredentials: readonly {
    readonly name: string;
    readonly issuer: string;
    readonly audiences: readonly string[];
    readonly claims: Readonly<Record<string, string>>;
  }[];
  readonly roles: readonly { readonly id: string; readonly role: string; readonly scope: string }[];
}

/** `berth identity create`. */
export async function createIdentity(connection: Connection, output: Output, name: string): Promise<void> {
  const result = (await callOperation(connection, operations.createIdentity, { body: { name } })) as Identity;
  show(
    output,
    result,
    `${name} has the client id ${result.clientId}. It can do nothing yet: berth identity assign gives it a role.`,
  );
}

/** `berth identity list`: all of them, page by page. */
export async function listIdentities(connection: Connection, output: Output): Promise<void> {
  const all: Identity[] = [];
  for (let last = ''; ; ) {
    const query = { last, n: '500' };
    const { identities } = (await callOperation(connection, operations.listIdentities, { query })) as { identities: Identity[] };
    all.push(...identities);
    last = identities.at(-1)?.name ?? '';
    if (identities.length < 500) break;
  }
  const lines = all.map(({ name, clientId, isEnabled }) => `${name}  ${clientId}${isEnabled ? '' : '  disabled'}`);
  show(output, { identities: all }, lines.length === 0 ? 'There are no identities.' : lines.join('\n'));
}

/** `berth identity show`: what it signs in with, and what it may. */
export async function showIdentity(connection: Connection, output: Output, identity: string): Promise<void> {
  const result = (await callOperation(connection, operations.getIdentity, { params: { identity } })) as WholeIdentity;
  const lines = [
    `${result.name}${result.isEnabled ? '' : ' (disabled)'}`,
    `  client id ${result.clientId}`,
    `  object id ${result.id}`,
    ...result.secrets.map(
      ({ id, expiresAt }) => `  secret ${id}, ${expiresAt === null ? 'does not expire' : `expires ${expiresAt}`}`,
    ),
    ...result.federatedCredentials.map(({ name, issuer, audiences, claims }) => {
      const conditions = Object.entries(claims).map(([claim, pattern]) => `${claim}=${pattern}`);
      return `  trusts ${name}: ${issuer}, audience ${audiences.join(' or ')}, ${conditions.join(', ')}`;
    }),
    ...result.roles.map(({ id, role, scope }) => `  role ${role} on ${scope} (${id})`),
  ];
  show(output, result, lines.join('\n'));
}

/** `berth identity delete`. */
export async function deleteIdentity(connection: Connection, output: Output, identity: string): Promise<void> {
  await callOperation(connection, operations.deleteIdentity, { params: { identity } });
  show(output, { deleted: identity }, `${identity} is gone, and what was signed in as it has ended.`);
}

/** `berth identity enable` and `disable`. */
export async function enableIdentity(
  connection: Connection,
  output: Output,
  { identity, isEnabled }: { readonly identity: string; readonly isEnabled: boolean },
): Promise<void> {
  const result = await callOperation(connection, operations.updateIdentity, { params: { identity }, body: { isEnabled } });
  show(
    output,
    result,
    isEnabled ? `${identity} can sign in again.` : `${identity} is disabled, and what was signed in as it has ended.`,
  );
}

/** `berth identity secret add`: the value is shown this once. */
export async function addSecret(
  connection: Connection,
  output: Output,
  { identity, expires }: { readonly identity: string; readonly expires: string | undefined },
): Promise<void> {
  const body = expires === undefined ? {} : { expiresAt: expires };
  const result = (await callOperation(connection, operations.addSecret, { params: { identity }, body })) as {
    id: string;
    value: string;
  };
  show(output, result, `${result.value}\nIt is shown only this once. Its id is ${result.id}; the user name is the client id.`);
}

/** `berth identity secret list`. */
export async function listSecrets(connection: Connection, output: Output, identity: string): Promise<void> {
  const result = (await callOperation(connection, operations.listSecrets, { params: { identity } })) as Pick<
    WholeIdentity,
    'secrets'
  >;
  const lines = result.secrets.map(
    ({ id, expiresAt }) => `${id}  ${expiresAt === null ? 'does not expire' : `expires ${expiresAt}`}`,
  );
  show(output, result, lines.length === 0 ? `${identity} has no secrets.` : lines.join('\n'));
}

/** `berth identity secret delete`. */
export async function deleteSecret(
  connection: Connection,
  output: Output,
  { identity, secret }: { readonly identity: string; readonly secret: string },
): Promise<void> {
  await callOperation(connection, operations.deleteSecret, { params: { identity, secret } });
  show(output, { deleted: secret }, `The secret is gone, and what was signed in with it has ended.`);
}

export interface TrustOptions {
  readonly issuer: string;
  readonly audience: readonly string[];
  /** `name=pattern`. */
  readonly claim: readonly string[];
  readonly name: string;
}

/** `berth identity trust`: tokens that match sign in as the identity. */
export async function trustTokens(
  connection: Connection,
  output: Output,
  { identity, options }: { readonly identity: string; readonly options: TrustOptions },
): Promise<void> {
  const { issuer, audience: audiences, claim, name } = options;
  const claims = Object.fromEntries(claim.map(parseClaim));
  const params = { identity, credential: name };
  const result = await callOperation(connection, operations.putFederatedCredential, {
    params,
    body: { issuer, audiences, claims },
  });
  show(output, result, `Tokens of ${issuer} that match sign in as ${identity} from now on.`);
}

function parseClaim(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new CommandError(`"${text}" is no rule for a claim`, 'write it as --claim sub=repo:acme/app:*');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `berth identity distrust`. */
export async function distrustTokens(
  connection: Connection,
  output: Output,
  { identity, credential }: { readonly identity: string; readonly credential: string },
): Promise<void> {
  await callOperation(connection, operations.deleteFederatedCredential, { params: { identity, credential } });
  show(output, { deleted: credential }, `The rule is gone, and what was signed in by it has ended.`);
}

/** `berth identity assign`: gives a role. */
export async function assignRole(
  connection: Connection,
  output: Output,
  { identity, wanted }: { readonly identity: string; readonly wanted: { role: string; scope: string; condition?: string } },
): Promise<void> {
  const params = { identity, assignment: randomUUID() };
  const result = (await callOperation(connection, operations.putRole, { params, body: wanted })) as {
    role: string;
    scope: string;
  };
  show(output, result, `${identity} has the role ${result.role} on ${result.scope}.`);
}

/** `berth identity unassign`. */
export async function unassignRole(
  connection: Connection,
  output: Output,
  { identity, assignment }: { readonly identity: string; readonly assignment: string },
): Promise<void> {
  await callOperation(connection, operations.deleteRole, { params: { identity, assignment } });
  show(output, { deleted: assignment }, `${identity} does not have the role any more.`);
}

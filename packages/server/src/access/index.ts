import type { Need } from '@berth/api';
import type { Route } from '../http/route.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, RoleAssignmentRow } from '../platform/database/index.ts';
import type { ManagedKeyRing } from '../platform/keys/index.ts';
import type { ChildKind } from '../resources/index.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { Accounts } from './accounts.ts';
import { disable, enable, isAdminEnabled, listPasswords } from './admin-users.ts';
import type { DirectoryContext } from './identities/directory-context.ts';
import { assignRole, removeRole } from './identities/assign-roles.ts';
import { assignmentsReaching, findAssignmentAt } from './identities/scoped-assignments.ts';
import type { RoleDefinition } from './roles/role-definition.ts';
import { roleDefinitions } from './roles/role-definitions.ts';
import { Authenticator } from './authenticate.ts';
import { type ChallengeError, challenge } from './challenge.ts';
import { cloudRoutes } from './cloud-routes.ts';
import { type FetchJson, createFederation } from './federation/index.ts';
import { ensureOwner } from './first-owner.ts';
import { type FirstAdminOptions, ensureAdmin } from './first-admin.ts';
import { GeneratedPasswords } from './generated-passwords.ts';
import { identityRoutes } from './identities/routes.ts';
import { Jws } from './jws.ts';
import { type MachineKeys, createMachineKeys } from './machines/machine-keys.ts';
import { agentKeyRoutes } from './machines/routes.ts';
import { ManagerTokens } from './manager-tokens.ts';
import { RegionSignIn, type RegionSignInRules } from './regions/region-sign-in.ts';
import { accessRoutes } from './routes.ts';
import type { RegionCredentials } from './region-credentials.ts';
import { regeneratePassword } from './regenerate-password.ts';
import { scopeMapKind } from './scope-maps/scope-map-kind.ts';
import { tokenKind } from './scope-maps/token-kind.ts';
import { SignIn } from './sign-in.ts';
import { anonymousManager } from './principals.ts';
import { authenticateManager } from './sign-in-manager.ts';
import { ensureSigningKeys } from './signing-keys.ts';
import { generateTokenPasswords } from './token-passwords.ts';
import { ownerOfToken } from './token-owner.ts';
import { TokenSigner } from './token-signer.ts';

/** The admin users of registries. */
export interface AdminUsers {
  isEnabled(registryId: number): Promise<boolean>;
  enable(registry: Registry): Promise<void>;
  disable(registry: Registry): Promise<void>;
  /** In clear, for whoever may see them; undefined when the admin user is disabled. */
  list(registry: Registry): ReturnType<typeof listPasswords>;
  regenerate(registry: Registry, slot: 'password' | 'password2'): Promise<void>;
}

/** A role assignment as it is kept. */
export type RoleAssignment = RoleAssignmentRow;

/** Roles, and which identity has which. */
export interface RoleDirectory {
  readonly roles: readonly RoleDefinition[];
  /** @throws NOT_FOUND, INVALID_PARAMETER, NAME_IN_USE, CONFLICT */
  assignRole(wanted: Parameters<typeof assignRole>[1]): Promise<void>;
  removeRole(identity: string, id: string): Promise<void>;
  findAssignmentAt(wanted: Parameters<typeof findAssignmentAt>[1]): Promise<RoleAssignment | undefined>;
  assignmentsReaching(wanted: Parameters<typeof assignmentsReaching>[1]): Promise<readonly RoleAssignment[]>;
}

/** The passwords of repository-scoped tokens. */
export interface TokenPasswords {
  /** New passwords, with their values: this once. @throws INVALID_PARAMETER when there is no such token */
  generate(registry: Registry, wanted: Parameters<typeof generateTokenPasswords>[2]): ReturnType<typeof generateTokenPasswords>;
}

export type { RoleDefinition } from './roles/role-definition.ts';
export type { MachineKeys } from './machines/machine-keys.ts';
export type { FetchJson } from './federation/index.ts';
export type { RegionCredentials } from './region-credentials.ts';

export interface Access {
  readonly routes: readonly Route[];
  /** Who sends a request, without waiting for whoever was seen before. @throws UNAUTHORIZED, TOOMANYREQUESTS */
  authenticate(
    headers: Readonly<Record<string, string | undefined>>,
    clientAddress: string,
    registry: Registry,
  ): Principal | Promise<Principal>;
  /** Who calls the resource manager. @throws UNAUTHORIZED */
  authenticateManagement(headers: Readonly<Record<string, string | undefined>>): Principal | Promise<Principal>;
  /** The text of `WWW-Authenticate`. */
  challenge(registry: Registry, origin: string, needs: readonly Need[], error?: ChallengeError): string;
  /** Makes the admin user complete, and sees that its owner knows a generated password. */
  ensureAdmin(registry: Registry, options: FirstAdminOptions): Promise<void>;
  /** Makes the identity that owns the deployment, once. */
  ensureOwner(options: Parameters<typeof ensureOwner>[1]): Promise<void>;
  /** The admin users of registries, for the resource manager. */
  readonly admins: AdminUsers;
  /** Credentials of agents and of runs. */
  readonly machines: MachineKeys;
  /** Passwords and tokens of the other regions that hold a registry. */
  readonly regionCredentials: RegionCredentials;
  /** Who has which role, for the resource manager. */
  readonly directory: RoleDirectory;
  /** The passwords of repository-scoped tokens, for the resource manager. */
  readonly tokens: TokenPasswords;
  /** Tokens and scope maps, as child resources of registries. */
  readonly kinds: readonly ChildKind[];
  /** Wrong passwords since the start. */
  signInFailures(): number;
}

/** Passwords, tokens and the answer to "who are you, and may you". */
export async function createAccess(options: {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: Clock;
  readonly tenantId: string;
  /** Gets the published keys of trusted issuers; without it, only issuers whose keys were given can be trusted. */
  readonly fetchJson?: FetchJson;
  /** Without it, no other region can sign in. */
  readonly regions?: RegionSignInRules | undefined;
}): Promise<Access> {
  const { database, keys, clock, tenantId, fetchJson = unreachable, regions } = options;
  const signingKeys = await ensureSigningKeys(keys);
  const generated = new GeneratedPasswords(signingKeys);
  const jws = new Jws(signingKeys);
  const accounts = new Accounts({ database, clock });
  const signIn = new SignIn({ database, clock, generated, accounts });
  const signer = new TokenSigner(jws, clock);
  const managerTokens = new ManagerTokens({ jws, clock, tenantId });
  const federation = createFederation({ database, clock, fetchJson, onDistrust: () => accounts.forgetIdentities() });
  const context: AccessContext = {
    database,
    keys,
    clock,
    accounts,
    signIn,
    signer,
    jws,
    managerTokens,
    generated,
    tenantId,
    signInFederated: async (token, clientId) => {
      const { identities, subject } = await federation.signIn(token, clientId === undefined ? {} : { clientId });
      // What another process has just changed counts for a new sign-in.
      for (const { id } of identities) await accounts.identityNow(id);
      return { kind: 'identity', username: subject, identities };
    },
  };
  const machines = createMachineKeys({ database, clock, generated, accounts });
  const directory = { database, clock, generated, onChange: (id: string) => accounts.forgetIdentity(id) };
  const authenticator = new Authenticator({
    signIn,
    regions: new RegionSignIn(regions, { clock, onFailure: () => signIn.countFailure() }),
    accounts,
    signer,
    clock,
    ownerOfToken: (registry, token) => ownerOfToken(context, registry, token),
  });
  return {
    routes: [
      ...accessRoutes(context),
      ...cloudRoutes(context),
      ...identityRoutes(directory),
      ...federation.routes,
      ...agentKeyRoutes(machines),
    ],
    authenticate: (headers, clientAddress, registry) =>
      authenticator.authenticate(headers['authorization'], clientAddress, registry),
    authenticateManagement: ({ authorization }) => {
      const token = /^bearer +(.+)$/i.exec(authorization ?? '')?.[1];
      return token === undefined ? anonymousManager : authenticateManager(context, token.trim());
    },
    challenge,
    ensureOwner: (how) => ensureOwner(context, how),
    ensureAdmin: (registry, how) => ensureAdmin(context, registry, how),
    admins: adminUsersOf(context),
    machines,
    regionCredentials: {
      verifierKeys: generated.verifierKeys,
      tokenKeys: jws.publicKeys,
      trust: (registries) => {
        generated.trust(registries);
        signer.trust(registries);
        authenticator.forget();
      },
      forgetAccounts: () => accounts.forgetAll(),
    },
    directory: roleDirectoryOf(directory),
    tokens: { generate: (registry, wanted) => generateTokenPasswords(context, registry, wanted) },
    kinds: [scopeMapKind(context), tokenKind(context)] as readonly ChildKind[],
    signInFailures: () => signIn.failures,
  };
}

function adminUsersOf(context: AccessContext): AdminUsers {
  return {
    isEnabled: (registryId) => isAdminEnabled(context, registryId),
    enable: (registry) => enable(context, registry),
    disable: (registry) => disable(context, registry),
    list: (registry) => listPasswords(context, registry),
    regenerate: async (registry, slot) => void (await regeneratePassword(context, registry, slot)),
  };
}

function roleDirectoryOf(context: DirectoryContext): RoleDirectory {
  const { database } = context;
  return {
    roles: roleDefinitions,
    assignRole: async (wanted) => void (await assignRole(context, wanted)),
    removeRole: (identity, id) => removeRole(context, identity, id),
    findAssignmentAt: (wanted) => findAssignmentAt(database.read, wanted),
    assignmentsReaching: (wanted) => assignmentsReaching(database.read, wanted),
  };
}

function unreachable(): Promise<never> {
  return Promise.reject(new Error('this server asks no issuer for its keys'));
}

import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import { type Identity, type ScopedToken, findIdentity, findScopedToken } from './account-queries.ts';
import { Fresh } from './fresh.ts';
import { type MachineKey, findMachineKey } from './machines/queries.ts';
import { adminPrincipal, identityPrincipal, machinePrincipal, registryRights, tokenPrincipal } from './principals.ts';
import type { Rights } from './roles/rights.ts';
import { type Admin, findAdmin } from './queries.ts';
import type { SignedIn, SignedInAdmin, SignedInIdentities, SignedInToken } from './signed-in.ts';

/** How stale the knowledge of a change in another process may be (attack 22). */
const maxAgeMs = 5_000;
const maxEntries = 10_000;

/** Everybody who can sign in, as they are now: admin users, repository-scoped tokens, identities of the directory. */
export class Accounts {
  readonly #clock: Clock;
  /** Undefined when it is missing or disabled. By registry id. */
  readonly #admins: Fresh<Admin | undefined>;
  /** By registry id and name in lower case. */
  readonly #tokens: Fresh<ScopedToken | undefined>;
  /** By object id. */
  readonly #identities: Fresh<Identity | undefined>;
  /** By registry id and id. */
  readonly #machines: Fresh<MachineKey | undefined>;
  /** What an account may, as long as neither it nor the registry changes. */
  readonly #adminRights = new WeakMap<Admin, Principal>();
  readonly #tokenRights = new WeakMap<ScopedToken, Principal>();
  readonly #machineRights = new WeakMap<MachineKey, Principal>();
  readonly #identityRights = new WeakMap<Identity, WeakMap<Registry, Rights>>();

  constructor({ database, clock }: { readonly database: Database; readonly clock: Clock }) {
    this.#clock = clock;
    const { read } = database;
    const common = { clock, maxAgeMs, maxEntries };
    this.#admins = new Fresh({ ...common, read: (key) => findEnabledAdmin(database, Number(key)) });
    this.#tokens = new Fresh({
      ...common,
      read: (key) => {
        const slash = key.indexOf('/');
        return findScopedToken(read, Number(key.slice(0, slash)), key.slice(slash + 1));
      },
    });
    this.#machines = new Fresh({
      ...common,
      read: (key) => {
        const slash = key.indexOf('/');
        return findMachineKey(read, Number(key.slice(0, slash)), key.slice(slash + 1));
      },
    });
    this.#identities = new Fresh({ ...common, read: (id) => findIdentity(read, { id }) });
  }

  /** The admin user of a registry if it is enabled; without waiting when it is known. */
  admin(registry: Registry): Admin | undefined | Promise<Admin | undefined> {
    return this.#admins.get(String(registry.id));
  }

  adminNow(registry: Pick<Registry, 'id'>): Promise<Admin | undefined> {
    return this.#admins.readNow(String(registry.id));
  }

  tokenNow(registry: Registry, name: string): Promise<ScopedToken | undefined> {
    return this.#tokens.readNow(tokenKey(registry, name));
  }

  identityNow(id: string): Promise<Identity | undefined> {
    return this.#identities.readNow(id);
  }

  identity(id: string): Identity | undefined | Promise<Identity | undefined> {
    return this.#identities.get(id);
  }

  /** A change made by this process counts at once. */
  forgetAdmin(registryId: number): void {
    this.#admins.forget(String(registryId));
  }

  forgetToken(registry: Pick<Registry, 'id'>, name: string): void {
    this.#tokens.forget(tokenKey(registry, name));
  }

  machineNow(registry: Registry, id: string): Promise<MachineKey | undefined> {
    return this.#machines.readNow(machineKey(registry.id, id));
  }

  forgetMachine(registryId: number, id: string): void {
    this.#machines.forget(machineKey(registryId, id));
  }

  forgetTokens(): void {
    this.#tokens.forgetAll();
  }

  /** Everybody is read anew. */
  forgetAll(): void {
    for (const each of [this.#admins, this.#tokens, this.#identities, this.#machines]) each.forgetAll();
  }

  forgetIdentity(id: string): void {
    this.#identities.forget(id);
  }

  forgetIdentities(): void {
    this.#identities.forgetAll();
  }

  /** Who signed in, if what they signed in with still stands (attacks 19, 22); without waiting for whoever was seen before. */
  principalOf(registry: Registry, owner: SignedIn): Principal | undefined | Promise<Principal | undefined> {
    if (owner.kind === undefined) {
      const admin = this.admin(registry);
      return admin instanceof Promise
        ? admin.then((read) => this.#ofAdmin(registry, owner, read))
        : this.#ofAdmin(registry, owner, admin);
    }
    if (owner.kind === 'machine') {
      const key = this.#machines.get(machineKey(registry.id, owner.id));
      return key instanceof Promise ? key.then((read) => this.#ofMachine(read)) : this.#ofMachine(key);
    }
    if (owner.kind === 'token') {
      const token = this.#tokens.get(tokenKey(registry, owner.username));
      return token instanceof Promise ? token.then((read) => this.#ofToken(owner, read)) : this.#ofToken(owner, token);
    }
    return this.#principalOfIdentities(registry, owner);
  }

  #ofAdmin(registry: Registry, owner: SignedInAdmin, admin: Admin | undefined): Principal | undefined {
    if (admin === undefined || !isCurrentAdmin(owner, admin)) return undefined;
    const known = this.#adminRights.get(admin) ?? adminPrincipal(admin.username, registry);
    this.#adminRights.set(admin, known);
    return known;
  }

  #ofMachine(key: MachineKey | undefined): Principal | undefined {
    if (key === undefined || (key.expiresAt !== null && this.#clock.now() >= key.expiresAt)) return undefined;
    const known = this.#machineRights.get(key) ?? machinePrincipal(key);
    this.#machineRights.set(key, known);
    return known;
  }

  #ofToken(owner: SignedInToken, token: ScopedToken | undefined): Principal | undefined {
    if (token?.isEnabled !== true) return undefined;
    const now = this.#clock.now();
    const isCurrent = token.passwords.some(
      ({ slot, created_at, expires_at }) =>
        slot === owner.slot && created_at === owner.since && (expires_at === null || now < expires_at),
    );
    if (!isCurrent) return undefined;
    const known = this.#tokenRights.get(token) ?? tokenPrincipal(token);
    this.#tokenRights.set(token, known);
    return known;
  }

  #principalOfIdentities(registry: Registry, owner: SignedInIdentities): Principal | undefined | Promise<Principal | undefined> {
    const found = owner.identities.map(({ id }) => this.identity(id));
    const isKnown = (each: (typeof found)[number]): each is Identity | undefined => !(each instanceof Promise);
    if (found.every(isKnown)) return this.#ofIdentities(registry, owner, found);
    return this.#whenRead(registry, owner, found);
  }

  async #whenRead(
    registry: Registry,
    owner: SignedInIdentities,
    found: readonly (Identity | undefined | Promise<Identity | undefined>)[],
  ): Promise<Principal | undefined> {
    const read: (Identity | undefined)[] = [];
    for (const each of found) read.push(await each);
    return this.#ofIdentities(registry, owner, read);
  }

  #ofIdentities(registry: Registry, owner: SignedInIdentities, found: readonly (Identity | undefined)[]): Principal | undefined {
    const standing = standingIdentities(owner, found, this.#clock.now());
    if (standing.length === 0) return undefined;
    return identityPrincipal(
      owner,
      standing.map((identity) => this.#rightsOf(registry, identity)),
    );
  }

  #rightsOf(registry: Registry, identity: Identity): Rights {
    const byRegistry = this.#identityRights.get(identity) ?? new WeakMap<Registry, Rights>();
    this.#identityRights.set(identity, byRegistry);
    const known = byRegistry.get(registry) ?? registryRights(identity, registry);
    byRegistry.set(registry, known);
    return known;
  }
}

/** Those of the identities that are enabled and have the credential that was used. */
export function standingIdentities(
  owner: SignedInIdentities,
  found: readonly (Identity | undefined)[],
  now: number,
): readonly Identity[] {
  return owner.identities.flatMap(({ credential }, index) => {
    const identity = found[index];
    if (identity?.isEnabled !== true) return [];
    const hasSecret = identity.secrets.some(
      ({ id, expires_at }) => id === credential && (expires_at === null || now < expires_at),
    );
    return hasSecret || identity.federated.some(({ id }) => id === credential) ? [identity] : [];
  });
}

function isCurrentAdmin(owner: SignedInAdmin, admin: Admin): boolean {
  if (admin.username !== owner.username || admin.generation !== owner.generation) return false;
  return admin.passwords.some(({ slot, created_at }) => slot === owner.slot && created_at === owner.since);
}

async function findEnabledAdmin(database: Database, registryId: number): Promise<Admin | undefined> {
  const admin = await findAdmin(database.read, registryId);
  return admin?.isEnabled === true ? admin : undefined;
}

function tokenKey(registry: Pick<Registry, 'id'>, name: string): string {
  return `${registry.id}/${name.toLowerCase()}`;
}

function machineKey(registryId: number, id: string): string {
  return `${registryId}/${id}`;
}

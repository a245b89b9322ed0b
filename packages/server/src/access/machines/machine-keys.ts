import { randomBytes } from 'node:crypto';
import { RegistryError } from '../../errors/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database, MachineKeyRow } from '../../platform/database/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { Accounts } from '../accounts.ts';
import { type GeneratedPasswords, generateSecret } from '../generated-passwords.ts';
import type { Access } from '../scope.ts';
import { type MachineKey, listAgentKeys } from './queries.ts';
import { addAgentKey, deleteAgentKey } from './transactions.ts';

/** User names of machines: no user, token or identity can be called so (attack 24). */
export const agentUser = '$agent';
export const runUser = '$run';

const maxAgentKeys = 100;
const poolPattern = /^[A-Za-z0-9-]{3,20}$/;
// oxlint-disable-next-line no-control-regex -- those are what a name must not hold
const namePattern = /^[^\u0000-\u001f\u007f]{1,64}$/;

export interface NewAgentKey {
  readonly name: string;
  /** Null: the pool that every registry has. */
  readonly agentPool: string | null;
  /** Its agents take runs of every registry of the deployment. */
  readonly isShared: boolean;
  /** A key of the same name gives way. */
  readonly isReplacing?: boolean;
}

export interface RunCredential {
  readonly runId: string;
  readonly access: readonly Access[];
  /** Ms since the epoch; it ends with the run, when that is earlier. */
  readonly expiresAt: number;
}

/** What a run signs in with, once the row is in the database. */
export interface MadeRunCredential {
  readonly username: string;
  readonly password: string;
  readonly key: MachineKeyRow;
}

/** Credentials of agents and of runs. */
export interface MachineKeys {
  /** The keys of the agents of a registry, by name. */
  list(registryId: number): Promise<readonly MachineKey[]>;
  /** `key`: in clear, this once. @throws INVALID_PARAMETER, NAME_IN_USE, QUOTA_EXCEEDED */
  createAgentKey(registry: Registry, wanted: NewAgentKey): Promise<{ readonly id: string; readonly key: string }>;
  /** Agents that use it can do nothing more. @throws NOT_FOUND */
  deleteAgentKey(registry: Registry, id: string): Promise<void>;
  /** What a run may sign in with to its registry: a user name and a password, with these rights and no others. */
  makeRunCredential(registry: Registry, credential: RunCredential): MadeRunCredential;
  /** Its row was deleted: it ends at once in this process, within five seconds in others. */
  forgetRunCredential(registryId: number, keyId: string): void;
}

export interface MachineKeysOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly generated: GeneratedPasswords;
  readonly accounts: Accounts;
}

export function createMachineKeys({ database, clock, generated, accounts }: MachineKeysOptions): MachineKeys {
  const make = (registry: Registry): { readonly id: string; readonly password: string; readonly verifier: string } => {
    const id = randomBytes(10).toString('hex');
    const secret = generateSecret();
    return { id, password: `${id}.${secret}`, verifier: generated.verifierOf(registry.id, secret) };
  };
  return {
    list: (registryId) => listAgentKeys(database.read, registryId),
    createAgentKey: async (registry, wanted) => {
      requireValid(wanted);
      const { id, password, verifier } = make(registry);
      const key: MachineKeyRow = {
        id,
        registry_id: registry.id,
        kind: 'agent',
        name: wanted.name,
        verifier,
        agent_pool: wanted.agentPool,
        is_shared: wanted.isShared ? 1 : 0,
        access: '[]',
        created_at: clock.now(),
        expires_at: null,
      };
      await database.write(addAgentKey, { key, maxKeys: maxAgentKeys, isReplacing: wanted.isReplacing === true });
      return { id, key: password };
    },
    deleteAgentKey: async (registry, id) => {
      if (!(await database.write(deleteAgentKey, { registryId: registry.id, id })))
        throw new RegistryError('NOT_FOUND', { message: `there is no agent key ${JSON.stringify(id.slice(0, 64))}` });
      accounts.forgetMachine(registry.id, id);
    },
    makeRunCredential: (registry, { runId, access, expiresAt }) => {
      const { id, password, verifier } = make(registry);
      const key: MachineKeyRow = {
        id,
        registry_id: registry.id,
        kind: 'run',
        name: runId,
        verifier,
        agent_pool: null,
        is_shared: 0,
        access: JSON.stringify(access),
        created_at: clock.now(),
        expires_at: expiresAt,
      };
      return { username: runUser, password, key };
    },
    forgetRunCredential: (registryId, keyId) => accounts.forgetMachine(registryId, keyId),
  };
}

/** The id that a machine's password begins with, and the secret behind it. */
export function splitMachinePassword(password: string): { readonly id: string; readonly secret: string } {
  const dot = password.indexOf('.');
  return { id: password.slice(0, Math.max(dot, 0)), secret: password.slice(dot + 1) };
}

/** @throws INVALID_PARAMETER */
function requireValid({ name, agentPool }: NewAgentKey): void {
  if (!namePattern.test(name))
    throw new RegistryError('INVALID_PARAMETER', {
      message: 'the name of an agent key has 1 to 64 characters, and no control characters',
      target: 'name',
    });
  if (agentPool !== null && !poolPattern.test(agentPool))
    throw new RegistryError('INVALID_PARAMETER', {
      message: 'the name of an agent pool has 3 to 20 letters, digits and hyphens',
      target: 'agentPool',
    });
}

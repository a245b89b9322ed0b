import type { AdminUsers, RoleDirectory, TokenPasswords } from '../access/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Imports } from '../imports/index.ts';
import type { Database } from '../platform/database/index.ts';
import type { ManagedKeyRing } from '../platform/keys/index.ts';
import type { Registries } from '../registries/index.ts';
import type { ChildKind } from '../resources/index.ts';
import type { Runs } from '../runs/index.ts';
import type { Tasks } from '../tasks/index.ts';
import type { Registry } from '../tenancy/index.ts';

/** What the actions of this feature work with. */
export interface ArmContext {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: Clock;
  readonly registries: Registries;
  readonly kinds: readonly ChildKind[];
  readonly imports: Pick<Imports, 'start' | 'find'>;
  readonly runs: Runs;
  readonly tasks: Pick<Tasks, 'find' | 'runOfRequest'>;
  readonly admins: AdminUsers;
  readonly tokens: TokenPasswords;
  readonly directory: RoleDirectory;
  readonly usageOf: (registry: Registry) => Promise<{ readonly sizeBytes: number; readonly limitBytes: number }>;
  readonly region: string;
  /** @throws HOME_REGION_ONLY for a replica: its settings are written elsewhere */
  readonly requireHome: (registry: Pick<Registry, 'name' | 'homeRegion'>) => void;
}

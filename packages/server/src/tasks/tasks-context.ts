import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { KeyRing } from '../platform/keys/index.ts';
import type { Runs } from '../runs/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { KeyVault } from './secrets/key-vault.ts';

/** What the actions of this feature work with. */
export interface TasksContext {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly runs: Pick<Runs, 'queue' | 'find' | 'document' | 'queuedIn'>;
  readonly vault: KeyVault;
  /** The name of the place that this deployment serves: where tasks are that nobody placed. */
  readonly region: string;
  /** Aborts when the server is told to stop. */
  readonly signal: AbortSignal;
  /** After a task was made, changed or deleted by this process. */
  readonly taskChanged: (registry: Registry, name: string) => void;
}

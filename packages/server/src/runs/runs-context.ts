import type { Clock } from '../platform/clock.ts';
import type { SealedStore } from '../platform/blob-store/index.ts';
import type { Database, MachineKeyRow } from '../platform/database/index.ts';
import type { KeyRing } from '../platform/keys/index.ts';
import type { Logger } from '../platform/logger.ts';
import type { Registry } from '../tenancy/index.ts';
import type { RunAccess, RunFacts } from './model.ts';
import type { RunEvents } from './run-events.ts';

/** What a run signs in with to its registry, while it goes on. */
export interface RunCredentials {
  /** The row lets the run sign in once it is in the database. */
  makeRunCredential(
    registry: Registry,
    credential: { readonly runId: string; readonly access: readonly RunAccess[]; readonly expiresAt: number },
  ): { readonly username: string; readonly password: string; readonly key: MachineKeyRow };
  /** The row with this id was deleted. */
  forgetRunCredential(registryId: number, keyId: string): void;
}

/** A secret that a task file names. */
export interface SecretToResolve {
  readonly id: string;
  readonly keyvault: string;
  readonly clientId?: string;
}

export interface RunLimits {
  /** Ended runs are forgotten after so long, unless they are archived. */
  readonly runRetentionMs: number;
  readonly maxSourceSizeBytes: number;
  /** Of a registry, in work. */
  readonly runsAtOnce: number;
  /** A run that waits for longer ends with an error. */
  readonly queueTimeoutMs: number;
  /** Of a registry, waiting. */
  readonly maxQueued: number;
  readonly maxLogBytes: number;
  readonly maxLogRecords: number;
}

/** What the actions of this feature work with. */
export interface RunsContext {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly store: SealedStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: RunLimits;
  readonly events: RunEvents;
  readonly credentials: RunCredentials;
  readonly registryById: (id: number) => Registry | undefined;
  /** Takes a tag off again; one that is not there is no error. */
  readonly untag: (registryId: number, repository: string, tag: string) => Promise<void>;
  /** @throws INVALID_PARAMETER, DENIED, UPSTREAM_FAILED */
  readonly resolveSecrets: (
    registry: Registry,
    run: RunFacts,
    secrets: readonly SecretToResolve[],
  ) => Promise<readonly { readonly id: string; readonly value: string }[]>;
  /** Aborts when the server is told to stop. */
  readonly signal: AbortSignal;
  /** When this process began; agents could not report before. */
  readonly startedAt: number;
  /** Counts of runs that ended, by status. */
  readonly ended: Map<RunFacts['status'], number>;
}

/** How long an agent holds a run without a word, and what it is told. */
export const leaseMs = 30_000;

import type { RegistryError } from '../errors/index.ts';
import type { Registry } from '../tenancy/index.ts';

export interface ImportCredentials {
  /** Missing: the password is a token. */
  readonly username?: string;
  readonly password: string;
}

export interface ImportInput {
  /** That the image goes to. */
  readonly registry: Registry;
  /** Whose import it is. */
  readonly principalId: string;
  /** A wrong password for a registry of this deployment counts against it. */
  readonly clientAddress: string;
  readonly source: ImportFrom;
  /** `repository:tag`, `repository@digest` or `repository`. */
  readonly sourceImage: string;
  /** `repository:tag`, or `repository` for the tag of the source. */
  readonly targetTags: readonly string[];
  readonly untaggedTargetRepositories: readonly string[];
  /** `Force` moves tags that are there. */
  readonly mode: string;
}

/** A registry of this deployment that the caller has seen the principal may pull from, or any by its host name. */
export type ImportFrom =
  | { readonly registry: Registry }
  | { readonly registryUri: string; readonly credentials?: ImportCredentials };

export interface ImportProgress {
  readonly manifestsDone: number;
  /** Grows while the source is looked through. */
  readonly manifestsTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export type ImportStatus = 'running' | 'succeeded' | 'failed';

/** An import at work, or one that has ended. */
export interface ImportRun {
  readonly id: string;
  readonly registryId: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  readonly status: ImportStatus;
  readonly progress: ImportProgress;
  /** Why it failed. */
  readonly error: RegistryError | undefined;
  /** Resolves once it has ended, however. */
  readonly ended: Promise<void>;
}

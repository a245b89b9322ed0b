import type { Readable } from 'node:stream';
import type { BuildDependency, OutputImage, Run, RunPlatform, RunStatus, RunToQueue } from '@berth/api';
import type { Registry } from '../tenancy/index.ts';

/** What made a run begin, beside somebody who asked for it (acr-tasks 5.2, 6.1, 6.2). Times are ISO 8601. */
export type RunTrigger =
  | {
      readonly kind: 'baseImage';
      readonly id: string;
      readonly timestamp: string;
      readonly images: readonly {
        readonly registry: string;
        readonly repository: string;
        readonly tag: string;
        readonly digest: string;
      }[];
      /** Tasks whose runs led to this one, each `registry/task`: none of them runs again for what it brings (attack 35). */
      readonly chain?: readonly string[];
    }
  | {
      readonly kind: 'source';
      readonly id: string;
      readonly name: string;
      readonly eventType: 'commit' | 'pullrequest';
      readonly commitId: string;
      readonly pullRequestId?: string;
      readonly repositoryUrl: string;
      readonly branchName: string;
      readonly providerType: string;
    }
  | { readonly kind: 'timer'; readonly name: string; readonly scheduleOccurrence: string };

/** A run to put into the queue. */
export interface NewRun {
  readonly registry: Registry;
  readonly request: RunToQueue;
  readonly runType: Run['runType'];
  /** Name of the task, when it is a run of one. */
  readonly task?: string;
  /** The principal's id; `trigger` when nobody asked. */
  readonly requestedBy: string;
  readonly trigger?: RunTrigger;
  /** False for pull requests from forks: no secrets, and nothing is pushed. */
  readonly isTrusted: boolean;
  /** Runs with the same one share a cache. Absent: runs without a task share one with those of the same principal, others none. */
  readonly cacheKey?: string;
  readonly updateToken?: string;
  /** Whether secrets of the deployment's store and vaults may be read. Default: `isTrusted`. */
  readonly maySecrets?: boolean;
  /** What the run may do with the registry's repositories; absent: by its kind (builds push their images and pull everything). */
  readonly access?: readonly RunAccess[];
}

/** As an entry of a token's `access`. `name`: a repository, or `*`. */
export interface RunAccess {
  readonly type: 'repository' | 'registry';
  readonly name: string;
  readonly actions: readonly string[];
}

/** A run as the features that follow runs see it. Times are ms since the epoch. */
export interface RunFacts {
  readonly rowId: number;
  readonly registryId: number;
  readonly id: string;
  readonly status: RunStatus;
  readonly runType: Run['runType'];
  readonly task: string | null;
  readonly trigger: RunTrigger | null;
  readonly requestedBy: string;
  readonly platform: RunPlatform;
  readonly agentPool: string | null;
  readonly images: readonly OutputImage[];
  readonly dependencies: readonly BuildDependency[];
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly updatedAt: number;
  readonly timeoutSeconds: number;
  readonly error: string | null;
  readonly isArchived: boolean;
  readonly updateToken: string | null;
  readonly logBytes: number;
  readonly logRecords: number;
}

/** Every status, in the order of a run's life. */
export const runStatuses: readonly RunStatus[] = [
  'Queued',
  'Started',
  'Running',
  'Succeeded',
  'Failed',
  'Canceled',
  'Error',
  'Timeout',
];

const ended: ReadonlySet<RunStatus> = new Set(['Succeeded', 'Failed', 'Canceled', 'Error', 'Timeout']);

export function isEnded(status: RunStatus): boolean {
  return ended.has(status);
}

/** Which runs to list, the newest first. */
export interface RunFilter {
  readonly registryId: number;
  readonly task?: string | undefined;
  readonly statuses?: readonly RunStatus[] | undefined;
  readonly agentPool?: string | undefined;
  readonly runType?: Run['runType'] | undefined;
  readonly runId?: string | undefined;
  readonly requestedBy?: string | undefined;
  /** `repository`, `repository:tag`, or a digest. */
  readonly image?: string | undefined;
  readonly isArchived?: boolean | undefined;
  readonly createdFrom?: number | undefined;
  readonly createdTo?: number | undefined;
  readonly finishedFrom?: number | undefined;
  readonly finishedTo?: number | undefined;
  /** Only runs older than this one. */
  readonly before?: string | undefined;
  /** At most 1000. */
  readonly limit: number;
}

/** One of the blocks that a source is sent in. */
export interface SourceBlock {
  readonly secret: string;
  /** Base64. */
  readonly blockId: string;
  readonly body: Readable;
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
}

/** Blocks, in the order in which they become the source. */
export interface SourceJoin {
  readonly secret: string;
  readonly blockIds: readonly string[];
  readonly signal: AbortSignal;
}

/** What comes to a signed address. */
export interface SourceUpload {
  readonly secret: string;
  readonly body: Readable;
  readonly sizeBytes: number | undefined;
  readonly signal: AbortSignal;
}

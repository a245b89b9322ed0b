import type { NamedValue } from '@berth/api';
import type { Fields } from '../resources/index.ts';
import type { RunTrigger } from '../runs/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { ResourceIdentity } from './identity.ts';

/**
 * A task as it is kept: ACR's `properties` by ACR's names (acr-tasks 6.3), so that clients read back what they wrote.
 * A secret is `{ sealed, dataKeyId }`; `tasks/seal-secrets.ts` seals and opens it.
 */
export interface TaskProperties {
  readonly status: 'Enabled' | 'Disabled';
  readonly platform: { readonly os: 'Linux' | 'Windows'; readonly architecture: string; readonly variant?: string };
  readonly agentConfiguration?: { readonly cpu: number };
  readonly agentPoolName?: string;
  /** Seconds. */
  readonly timeout: number;
  readonly step?: TaskStep;
  readonly trigger: TaskTriggers;
  readonly credentials?: TaskCredentials;
  readonly logTemplate?: string;
  readonly isSystemTask: boolean;
  /** Stands beside the properties in documents. */
  readonly identity?: ResourceIdentity;
  /** Berth's: what the task may do with the registry; absent: pull and push everything. */
  readonly access?: readonly { readonly repository: string; readonly actions: readonly string[] }[];
}

export interface SealedText {
  readonly sealed: string;
  readonly dataKeyId: string;
}

export interface TaskValue {
  readonly name: string;
  readonly value: string | SealedText;
  readonly isSecret: boolean;
}

interface CommonStep {
  /** `https://…/repo.git#branch:folder`, `/dev/null`, an archive, `oci://…`. */
  readonly contextPath?: string;
  readonly contextAccessToken?: SealedText;
}

export type TaskStep =
  | (CommonStep & {
      readonly type: 'Docker';
      readonly imageNames: readonly string[];
      readonly isPushEnabled: boolean;
      readonly noCache: boolean;
      readonly dockerFilePath: string;
      readonly target?: string;
      readonly arguments: readonly TaskValue[];
      /** Berth's: several at once. */
      readonly platforms?: readonly string[];
      /** Berth's: what is attached to the image. */
      readonly sbom?: boolean;
      readonly provenance?: boolean;
    })
  | (CommonStep & {
      readonly type: 'FileTask';
      readonly taskFilePath: string;
      readonly valuesFilePath?: string;
      readonly values: readonly TaskValue[];
    })
  | (CommonStep & {
      readonly type: 'EncodedTask';
      /** Base64. */
      readonly encodedTaskContent: string;
      readonly encodedValuesContent?: string;
      readonly values: readonly TaskValue[];
    });

type Status = 'Enabled' | 'Disabled';

export interface TimerTrigger {
  readonly name: string;
  readonly schedule: string;
  readonly status: Status;
  /** Berth's. */
  readonly timeZone?: string;
  readonly overlap?: 'allow' | 'skip';
  readonly catchUp?: boolean;
}

export interface SourceTrigger {
  readonly name: string;
  readonly status: Status;
  readonly sourceTriggerEvents: readonly ('commit' | 'pullrequest')[];
  readonly sourceRepository: {
    /** `Github`, `VisualStudioTeamService`; Berth's: `Gitlab`, `Gitea`, `Bitbucket`, `Git`. */
    readonly sourceControlType: string;
    readonly repositoryUrl: string;
    /** An exact name, or a glob. */
    readonly branch?: string;
    readonly sourceControlAuthProperties?: {
      readonly tokenType: 'PAT' | 'OAuth';
      readonly token: SealedText;
      readonly refreshToken?: SealedText;
      readonly scope?: string;
      readonly expiresIn?: number;
    };
  };
  /** Berth's: globs of paths, of which one must have changed; of tags. */
  readonly paths?: readonly string[];
  readonly tags?: readonly string[];
  /** Berth's: ask the server now and again, for those that cannot reach us; seconds. */
  readonly pollSeconds?: number;
}

export interface BaseImageTrigger {
  readonly name: string;
  readonly baseImageTriggerType: 'Runtime' | 'All';
  readonly status: Status;
  readonly updateTriggerEndpoint?: string;
  readonly updateTriggerPayloadType?: 'Default' | 'Token';
}

export interface TaskTriggers {
  readonly timerTriggers: readonly TimerTrigger[];
  readonly sourceTriggers: readonly SourceTrigger[];
  readonly baseImageTrigger?: BaseImageTrigger;
}

export interface TaskCredentials {
  readonly sourceRegistry?: { readonly loginMode: 'None' | 'Default'; readonly identity?: string };
  /** By login server. A value of type `Vaultsecret` is the address of a secret. */
  readonly customRegistries?: Readonly<
    Record<
      string,
      {
        readonly userName?: { readonly value: string | SealedText; readonly type: 'Opaque' | 'Vaultsecret' };
        readonly password?: { readonly value: string | SealedText; readonly type: 'Opaque' | 'Vaultsecret' };
        readonly identity?: string;
      }
    >
  >;
}

/** A task of a registry. Times are ms since the epoch. */
export interface Task {
  readonly registryId: number;
  readonly name: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly properties: TaskProperties;
}

/** What a run of a task replaces of it (acr-tasks 6.3, `TaskRunRequest`). */
export interface TaskOverrides {
  readonly values?: readonly NamedValue[];
  readonly arguments?: readonly NamedValue[];
  readonly target?: string;
  readonly contextPath?: string;
  readonly file?: string;
  readonly updateToken?: string;
  /** Check out exactly this commit of this ref, from this repository where it is a fork's. */
  readonly commit?: { readonly commit: string; readonly ref: string; readonly url?: string };
}

export interface TaskRun {
  readonly registry: Registry;
  readonly task: Task;
  readonly requestedBy: string;
  readonly trigger?: RunTrigger;
  readonly isTrusted?: boolean;
  readonly overrides?: TaskOverrides;
}

/** A secret as a task file names it (acr-tasks 1.1). */
export interface SecretAddress {
  readonly id: string;
  /** `https://berth/secrets/NAME`, `https://VAULT/secrets/NAME[/VERSION]`. */
  readonly keyvault: string;
  readonly clientId?: string;
}

/** A request of the resource manager that wants a run (acr-tasks 6.3). */
export interface RequestedRun {
  readonly registry: Registry;
  /** `DockerBuildRequest`, `FileTaskRunRequest`, `EncodedTaskRunRequest` or `TaskRunRequest`. */
  readonly body: Fields;
  /** The principal's id. */
  readonly requestedBy: string;
}

import type { Database } from '../../platform/database/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { KeyRing } from '../../platform/keys/index.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Outbound } from '../../platform/outbound/index.ts';
import type { Runs } from '../../runs/index.ts';
import type { SourceTrigger, Task, Tasks } from '../../tasks/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { TriggerDecision } from '../decisions/model.ts';

/** What source triggers work with. */
export interface SourcesContext {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly log: Logger;
  readonly outbound: Outbound;
  readonly tasks: Tasks;
  readonly runs: Runs;
  registryById(registryId: number): Registry | undefined;
  /** `https://host` by which the world reaches a registry. Undefined: nobody has said. */
  publicOrigin(registry: Registry): string | undefined;
  /** Keeps a decision for whoever asks why. */
  record(decision: TriggerDecision): Promise<unknown>;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
}

/** A trigger with the task and the registry that it belongs to. */
export interface Watch {
  readonly registry: Registry;
  readonly task: Task;
  readonly trigger: SourceTrigger;
}

export function watchesOf(registry: Registry, task: Task): readonly Watch[] {
  return task.properties.trigger.sourceTriggers.map((trigger) => ({ registry, task, trigger }));
}

export async function findWatch(
  { tasks }: SourcesContext,
  registry: Registry,
  { task: taskName, name }: { readonly task: string; readonly name: string },
): Promise<Watch | undefined> {
  const task = await tasks.find(registry.id, taskName);
  return task && watchesOf(registry, task).find(({ trigger }) => trigger.name === name);
}

/** The token by which the forge knows the task: the trigger's, or that of the files. Undefined: there is none. */
export function tokenOf({ tasks }: SourcesContext, { task, trigger }: Watch): string | undefined {
  const sealed = sealedTokenOf({ task, trigger });
  return sealed && tasks.open(task.registryId, sealed);
}

export function sealedTokenOf({ task, trigger }: Pick<Watch, 'task' | 'trigger'>) {
  return trigger.sourceRepository.sourceControlAuthProperties?.token ?? task.properties.step?.contextAccessToken;
}

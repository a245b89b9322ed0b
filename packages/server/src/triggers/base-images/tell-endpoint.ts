import { OutboundError } from '../../platform/outbound/index.ts';
import type { RunFacts } from '../../runs/index.ts';
import type { Task } from '../../tasks/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { recordDecisions } from '../decisions/transactions.ts';
import type { TriggersContext } from '../triggers-context.ts';

const totalMs = 10_000;
const maxAnswerBytes = 64 * 1024;

interface Told {
  readonly registry: Registry;
  readonly task: Task;
  readonly run: RunFacts;
}

/**
 * Tells the endpoint of a base image trigger, if it has one, of a run that was queued (acr-tasks 5.2; what ACR sends is not known).
 * Once, without waiting; that it failed stands among the decisions.
 */
export function tellEndpoint(context: TriggersContext, told: Told): void {
  const { baseImageTrigger } = told.task.properties.trigger;
  const url = baseImageTrigger?.updateTriggerEndpoint;
  if (baseImageTrigger === undefined || url === undefined) return;
  void tell(context, told, url).catch((error: unknown) => {
    if (!context.signal.aborted)
      context.log.error({ err: error, task: told.task.name }, 'the endpoint of a trigger could not be told');
  });
}

async function tell(context: TriggersContext, { registry, task, run }: Told, url: string): Promise<void> {
  const { outbound, database, clock, signal } = context;
  const { name = '', updateTriggerPayloadType = 'Default' } = task.properties.trigger.baseImageTrigger ?? {};
  let problem: string | undefined;
  try {
    const answer = await outbound.request({
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payloadOf(registry, run, updateTriggerPayloadType)),
      signal,
      totalMs,
      maxBytes: maxAnswerBytes,
      maxRedirects: 0,
    });
    answer.discard();
    if (answer.status < 200 || answer.status > 299) problem = `it answers ${answer.status}`;
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof OutboundError)) throw error;
    problem = error.message;
  }
  if (problem === undefined) return;
  const decision = {
    registryId: registry.id,
    task: task.name,
    trigger: name,
    kind: 'baseImage' as const,
    isFired: false,
    run: run.id,
    reason: `the endpoint was not told of the run ${run.id}: ${problem}`,
    details: {},
  };
  await database.write(recordDecisions, { decisions: [decision], now: clock.now() });
}

function payloadOf(registry: Registry, run: RunFacts, type: 'Default' | 'Token'): object {
  const token = run.updateToken;
  if (type === 'Token' || run.trigger?.kind !== 'baseImage') return { token };
  const { id, timestamp, images } = run.trigger;
  return {
    id,
    timestamp,
    action: 'base_image_update',
    registry: registry.loginServer,
    task: run.task,
    run: run.id,
    images,
    token,
  };
}

import { type Move, Scheduler } from '@berth/task-file';
import { type StepEnd, executeStep } from './execute-step.ts';
import type { RunScene } from './run-scene.ts';

export interface FailedStep {
  readonly id: string;
  readonly end: StepEnd;
}

/** Does the steps of a run in their order. @returns the first that failed, if one did */
export async function runSteps(scene: RunScene): Promise<FailedStep | undefined> {
  const { plan, table, host } = scene;
  const scheduler = new Scheduler(plan.steps, plan.dependencies);
  const running = new Map<string, { readonly stop: AbortController; readonly end: Promise<void> }>();
  const bugs: unknown[] = [];
  let failed: FailedStep | undefined;

  const finish = (id: string, end: StepEnd): void => {
    const { outcome, exitCode, reason, isSkipped } = end;
    const state = isSkipped === true ? 'skipped' : outcome;
    const known = table.get(id);
    table.change(id, {
      state,
      finishedAt: new Date().toISOString(),
      exitCode: known?.exitCode ?? exitCode,
      ...(reason !== undefined && { reason }),
    });
    const seconds = (Date.now() - Date.parse(known?.startedAt ?? '')) / 1000;
    host.log(id, 'agent', `Step ${id}: ${state}, ${seconds.toFixed(3)} s${reason === undefined ? '' : `: ${reason}`}`);
    if (outcome === 'failed') failed ??= { id, end };
    apply(scheduler.finished(id, outcome));
  };
  const start = (id: string): void => {
    const step = plan.steps.find((each) => each.id === id);
    if (step === undefined) return;
    const stop = new AbortController();
    table.change(id, { state: 'running', startedAt: new Date().toISOString() });
    const end = executeStep(scene, step, AbortSignal.any([stop.signal, host.signal]))
      .catch((error: unknown): StepEnd => {
        bugs.push(error);
        return { outcome: 'failed', exitCode: null, reason: 'the agent failed', lastLines: [] };
      })
      .then((each) => {
        running.delete(id);
        finish(id, each);
      });
    running.set(id, { stop, end });
  };
  const apply = (move: Move): void => {
    for (const { id, reason } of move.skipped) {
      host.log(id, 'agent', `Step ${id} is skipped: ${reason}`);
      table.change(id, { state: 'skipped', reason });
    }
    for (const id of move.start) start(id);
    for (const id of move.cancel) running.get(id)?.stop.abort();
  };

  const stopAll = (): void => apply(scheduler.stop());
  host.signal.addEventListener('abort', stopAll, { once: true });
  try {
    apply(host.signal.aborted ? scheduler.stop() : scheduler.start());
    while (running.size > 0) await Promise.race([...running.values()].map(({ end }) => end));
  } finally {
    host.signal.removeEventListener('abort', stopAll);
  }
  if (bugs.length > 0) throw bugs[0];
  return failed;
}

import { setTimeout as pause } from 'node:timers/promises';
import { type Step, type StepOutcome, isSuccess } from '@berth/task-file';
import { attemptBuild } from './build-step.ts';
import { attemptCommand } from './cmd-step.ts';
import { attemptPush } from './push-step.ts';
import type { Attempt, AttemptContext, RunScene } from './run-scene.ts';

export interface StepEnd {
  readonly outcome: StepOutcome;
  readonly exitCode: number | null;
  readonly reason?: string;
  readonly lastLines: readonly string[];
  /** It was not done at all. */
  readonly isSkipped?: boolean;
}

/** The reason of a signal that a step's own time aborted. */
class StepTimeout extends Error {
  override readonly name = 'StepTimeout';
}

/**
 * Does a step: delay, attempts, repetitions, all within its time. It never throws, but for bugs.
 * @param signal aborts when the run stops or another step failed
 */
export async function executeStep(scene: RunScene, step: Step, signal: AbortSignal): Promise<StepEnd> {
  const say = (text: string): void => scene.host.log(step.id, 'agent', text);
  const timer = new AbortController();
  let timeout: NodeJS.Timeout | undefined;
  try {
    if (step.startDelaySeconds > 0) {
      say(`Waiting ${step.startDelaySeconds} s before the step starts`);
      await pause(step.startDelaySeconds * 1000, undefined, { signal });
    }
    const where = step.workingDirectory === undefined ? '' : `, working directory ${step.workingDirectory}`;
    say(`Step ${step.id} starts: timeout ${step.timeoutSeconds} s${where}`);
    timeout = setTimeout(() => timer.abort(new StepTimeout()), step.timeoutSeconds * 1000);
    const both = AbortSignal.any([signal, timer.signal]);
    return await repeat(scene, step, both);
  } catch (error) {
    if (signal.aborted) return { outcome: 'canceled', exitCode: null, reason: reasonOf(signal), lastLines: [] };
    if (!timer.signal.aborted) throw error;
    const reason = `it took longer than its timeout of ${step.timeoutSeconds} s`;
    say(`The step is stopped: ${reason}`);
    return ignoring(step, { outcome: 'failed', exitCode: null, reason, lastLines: [] });
  } finally {
    clearTimeout(timeout);
  }
}

function reasonOf(signal: AbortSignal): string {
  return typeof signal.reason === 'string' ? `the run was stopped: ${signal.reason}` : 'another step failed';
}

/** One time, and `repeat` times more whatever becomes of it; any failure is one of the step. */
async function repeat(scene: RunScene, step: Step, signal: AbortSignal): Promise<StepEnd> {
  let end: StepEnd | undefined;
  for (let round = 0; round <= step.repeat; round += 1) {
    if (round > 0) scene.host.log(step.id, 'agent', `Repetition ${round} of ${step.repeat}`);
    const one = await attempts(scene, step, signal);
    if (end === undefined || end.outcome === 'succeeded') end = one;
    if (one.isSkipped === true) break;
  }
  if (end === undefined) throw new Error(`the step ${step.id} was not tried`);
  return ignoring(step, end);
}

async function attempts(scene: RunScene, step: Step, signal: AbortSignal): Promise<StepEnd> {
  const { host, table } = scene;
  for (let attempt = 1; ; attempt += 1) {
    table.change(step.id, { attempts: (table.get(step.id)?.attempts ?? 0) + 1 });
    const watch = new ErrorWatch(step.retryOnErrors);
    const context: AttemptContext = {
      signal,
      line: (stream, text) => {
        watch.see(text);
        host.log(step.id, stream, text);
      },
      say: (text) => {
        for (const line of text.split('\n')) host.log(step.id, 'agent', line);
      },
    };
    const end = await attemptOnce(scene, step, context);
    signal.throwIfAborted();
    if (end.skipped !== undefined)
      return { outcome: 'succeeded', exitCode: null, reason: end.skipped, lastLines: [], isSkipped: true };
    if (end.exitCode !== null && end.reason === undefined && isSuccess(end.exitCode, step))
      return { outcome: 'succeeded', exitCode: end.exitCode, lastLines: [] };
    const reason = end.reason ?? `exit code ${end.exitCode ?? 'unknown'}`;
    watch.see(reason);
    const isOver = attempt > step.retries || end.isFinal === true || !watch.mayRetry;
    context.say(isOver ? `The step failed: ${reason}` : `Attempt ${attempt} failed: ${reason}`);
    if (isOver) return { outcome: 'failed', exitCode: end.exitCode, reason, lastLines: end.lastLines };
    context.say(`The next attempt is in ${step.retryDelaySeconds} s; ${step.retries - attempt + 1} left`);
    await pause(step.retryDelaySeconds * 1000, undefined, { signal });
  }
}

function attemptOnce(scene: RunScene, step: Step, context: AttemptContext): Promise<Attempt> {
  if (step.action.kind === 'build') return attemptBuild(scene, step, context);
  return step.action.kind === 'push' ? attemptPush(scene, step, context) : attemptCommand(scene, step, context);
}

function ignoring(step: Step, end: StepEnd): StepEnd {
  if (!step.ignoresErrors || end.outcome !== 'failed') return end;
  return { ...end, outcome: 'succeeded', reason: `its errors are ignored: ${end.reason ?? ''}` };
}

/** Looks for the texts of `retryOnErrors`; without any, every failure is retried. */
class ErrorWatch {
  readonly #texts: readonly string[];
  mayRetry: boolean;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
    this.mayRetry = texts.length === 0;
  }

  see(line: string): void {
    this.mayRetry ||= this.#texts.some((text) => line.includes(text));
  }
}

import type { RunReport, RunStep } from '@berth/api';
import type { RunLog } from '../log/index.ts';
import type { RunEnd } from '../run/run-host.ts';
import { type HeldRun, type ReportAnswer, ServerError } from '../server-client/index.ts';
import { Pauses } from './pauses.ts';

/** The lease is kept by reports, and their answers tell of a cancellation. Servers give it for half a minute and more. */
const heartbeatMs = 3_000;
/** Lines that come together go together. */
const gatherMs = 200;

export interface RunReporterOptions {
  readonly held: HeldRun;
  readonly log: RunLog;
  send(held: HeldRun, report: RunReport, signal: AbortSignal): Promise<ReportAnswer>;
  onCanceled(): void;
  /** The run is not this agent's any more: nothing is to be reported. */
  onLost(reason: string): void;
}

/** Tells the server what is new of one run, in order, until the server has taken its end. */
export class RunReporter {
  readonly #options: RunReporterOptions;
  readonly #pauses = new Pauses();
  #news = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #steps: readonly RunStep[] | undefined;
  #source: { readonly commit?: string; readonly branch?: string } | undefined;
  #end: RunEnd | undefined;
  #isOver = false;

  constructor(options: RunReporterOptions) {
    this.#options = options;
  }

  steps(steps: readonly RunStep[]): void {
    this.#steps = structuredClone(steps);
    this.#news.resolve();
  }

  source(facts: { readonly commit?: string; readonly branch?: string }): void {
    this.#source = facts;
    this.#news.resolve();
  }

  logged(): void {
    this.#news.resolve();
  }

  end(end: RunEnd): void {
    this.#end = end;
    this.#news.resolve();
    // Nothing more comes that could be gathered.
    this.#ended.resolve();
  }

  /** Reports until the end has been taken, the run is lost, or the signal says to give up. */
  async report(signal: AbortSignal): Promise<void> {
    while (!this.#isOver && !signal.aborted) {
      try {
        await this.#untilNews(signal);
        this.#news = Promise.withResolvers();
        await this.#sendNext(signal);
        this.#pauses.reset();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ServerError)) throw error;
        if (error.kind === 'away') await this.#pauses.take(signal).catch(() => undefined);
        else this.#refused(error);
        this.#news.resolve();
      }
    }
  }

  async #untilNews(signal: AbortSignal): Promise<void> {
    await this.#wait(heartbeatMs, signal, this.#news.promise);
    if (this.#end === undefined && this.#options.log.next().records.length < 100)
      await this.#wait(gatherMs, signal, this.#ended.promise);
  }

  /** Also ends when the run does. */
  async #wait(ms: number, signal: AbortSignal, news?: Promise<void>): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, ms);
    const stop = (): void => over.resolve();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([over.promise, ...(news === undefined ? [] : [news])]);
    signal.removeEventListener('abort', stop);
    clearTimeout(timer);
  }

  async #sendNext(signal: AbortSignal): Promise<void> {
    const { held, log, onCanceled } = this.#options;
    const { from, records } = log.next();
    const [steps, source] = [this.#steps, this.#source];
    // The end goes last: with it, the log is closed.
    const end = this.#end !== undefined && log.isEmptyAfter(records.length) ? this.#end : undefined;
    const report: RunReport = {
      ...(records.length > 0 && { logFrom: from, log: [...records] }),
      ...(steps !== undefined && { steps: [...steps] }),
      ...source,
      ...(end !== undefined && { end }),
    };
    const { isCanceled } = await this.#options.send(held, report, signal);
    log.drop(records.length);
    if (this.#steps === steps) this.#steps = undefined;
    if (this.#source === source) this.#source = undefined;
    if (end !== undefined) this.#isOver = true;
    else if (isCanceled) onCanceled();
    if (!log.isEmpty || this.#end !== undefined) this.#news.resolve();
  }

  #refused(error: ServerError): void {
    // An end that is not understood must not leave the run without one.
    if (this.#end !== undefined && error.kind === 'refused' && !this.#end.message?.startsWith(refusedEnd)) {
      const message = `${refusedEnd}: ${error.message}`;
      this.#end = { outcome: 'Error', message, images: [], dependencies: [], temporaryTags: [] };
      this.#steps = undefined;
      return;
    }
    this.#isOver = true;
    this.#options.onLost(error.message);
  }
}

const refusedEnd = 'the server did not take what the run ended with';

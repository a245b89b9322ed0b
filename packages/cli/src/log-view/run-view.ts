import type { LogRecord, Run } from '@berth/api';
import { clockText } from './durations.ts';
import { StepColours, faint, plainLine } from './plain-line.ts';
import type { Screen } from './screen.ts';

export interface RunViewOptions {
  /** Lines of the log are shown. */
  readonly isLogShown: boolean;
  /** Lines are shown as they were written, without the name of their step. */
  readonly isRaw: boolean;
}

const tickMs = 1_000;

/** Shows a run while it goes on: its log, the step that runs, what it waits for. */
export class RunView {
  readonly #screen: Screen;
  readonly #options: RunViewOptions;
  readonly #colours = new StepColours();
  readonly #timer: NodeJS.Timeout | undefined;
  #run: Run | undefined;
  #remark = '';
  #saidOfQueue = '';

  constructor(screen: Screen, options: RunViewOptions) {
    this.#screen = screen;
    this.#options = options;
    this.#timer = screen.isLive ? setInterval(() => this.#showStatus(), tickMs) : undefined;
    this.#timer?.unref();
  }

  log({ step, stream, text }: LogRecord): void {
    if (!this.#options.isLogShown) return;
    const line = plainLine(text);
    if (this.#options.isRaw) this.#screen.line(line);
    else if (!this.#screen.isLive) this.#screen.line(step === '' ? line : `[${step}] ${line}`);
    else {
      const shown = stream === 'agent' ? faint(line) : line;
      this.#screen.line(step === '' ? shown : `${this.#colours.paint(step, `[${step}]`)} ${shown}`);
    }
  }

  run(run: Run): void {
    this.#run = run;
    const queue = queueText(run);
    // Where nothing changes in place, only what is new is said.
    if (queue !== '' && !this.#screen.isLive && queue !== this.#saidOfQueue && !this.#options.isRaw) this.#screen.line(queue);
    this.#saidOfQueue = queue;
    this.#showStatus();
  }

  /** Something about the command itself, which is not of the log. */
  say(text: string): void {
    this.#screen.line(text);
  }

  /** Goes before the status, such as that the connection is away. */
  remark(text: string): void {
    this.#remark = text;
    this.#showStatus();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#screen.status('');
  }

  #showStatus(): void {
    if (this.#run === undefined || !this.#screen.isLive) return;
    this.#screen.status([this.#remark, queueText(this.#run), runningText(this.#run)].filter((text) => text !== '').join('  '));
  }
}

function queueText({ queue }: Run): string {
  return queue === null ? '' : plainLine(`Waiting, number ${queue.position} in the queue: ${queue.reason}`);
}

function runningText({ queue, steps, startedAt, createdAt, status }: Run): string {
  const now = Date.now();
  if (queue !== null) return clockText(now - Date.parse(createdAt));
  const running = steps.filter(({ state }) => state === 'running');
  const names = running.map((step) => `[${step.id}] ${clockText(now - Date.parse(step.startedAt ?? createdAt))}`);
  if (names.length === 0) names.push(status.toLowerCase());
  const done = steps.filter(({ state }) => state !== 'waiting' && state !== 'running').length;
  const total = startedAt === null ? '' : `  ${done}/${steps.length} steps, ${clockText(now - Date.parse(startedAt))}`;
  return plainLine(`${names.join(' ')}${total}`);
}

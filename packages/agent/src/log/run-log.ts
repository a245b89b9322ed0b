import type { LogRecord } from '@berth/api';
import { cutLine } from './cut-line.ts';
import { Masks } from './masks.ts';
import { plainText } from './plain-text.ts';
import { RecordQueue } from './record-queue.ts';

const memoryBytes = 4 * 1024 * 1024;
const maxBatch = { maxRecords: 500, maxBytes: 256 * 1024 };

export interface RunLogOptions {
  /** Where records wait that memory has no room for. */
  readonly file: string;
  /** Number of the first record: those before are the server's. */
  readonly from: number;
  /** Of all lines together. */
  readonly outputBytes: number;
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** The output has reached its limit: what follows is not kept. */
  onFull(): void;
  /** There is something to send. */
  onRecord(): void;
}

export interface LogBatch {
  /** Number of the first record. */
  readonly from: number;
  readonly records: readonly LogRecord[];
}

/** The log of one run on its way to the server: masked, without control sequences, bounded. */
export class RunLog {
  readonly #options: RunLogOptions;
  readonly #masks = new Masks();
  readonly #queue: RecordQueue;
  #sent: number;
  #bytes = 0;
  #isFull = false;

  constructor(options: RunLogOptions) {
    this.#options = options;
    this.#sent = options.from;
    this.#queue = new RecordQueue({ memoryBytes, file: options.file });
  }

  get isEmpty(): boolean {
    return this.#queue.isEmpty;
  }

  /** Whether nothing is left once so many records are dropped. */
  isEmptyAfter(records: number): boolean {
    return this.#queue.isEmptyAfter(records);
  }

  mask(secret: string): void {
    this.#masks.add(secret);
  }

  /** A text of another place than a log, without what is masked. */
  hide(text: string): string {
    return this.#masks.apply(text);
  }

  /** A text as it may be shown: masked, without control sequences. Its lines stay. */
  clean(text: string): string {
    return linesOf(text)
      .map((line) => this.#cleanLine(line))
      .join('\n');
  }

  #cleanLine(line: string): string {
    return this.hide(plainText(line));
  }

  add(step: string, stream: LogRecord['stream'], text: string): void {
    if (this.#isFull) return;
    for (const line of linesOf(text))
      for (const piece of cutLine(this.#cleanLine(line))) this.#push({ step, stream, text: piece });
  }

  /** The next records; they stay until they are dropped. */
  next(): LogBatch {
    return { from: this.#sent, records: this.#queue.peek(maxBatch) };
  }

  drop(count: number): void {
    this.#queue.drop(count);
    this.#sent += count;
  }

  close(): void {
    this.#isFull = true;
    this.#queue.close();
  }

  #push(record: Omit<LogRecord, 'time'>): void {
    if (this.#isFull) return;
    this.#bytes += Buffer.byteLength(record.text) + 1;
    this.#isFull = this.#bytes > this.#options.outputBytes;
    const time = this.#options.now();
    if (this.#isFull) {
      const text = `the output is longer than the ${this.#options.outputBytes} bytes that a run may print: the run is stopped, and nothing more is shown`;
      this.#queue.push({ time, step: '', stream: 'agent', text });
      this.#options.onFull();
    } else {
      this.#queue.push({ time, ...record });
    }
    this.#options.onRecord();
  }
}

function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/);
}

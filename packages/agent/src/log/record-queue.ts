import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import type { LogRecord } from '@berth/api';

const newline = 0x0a;
const readBytes = 256 * 1024;

export interface RecordQueueOptions {
  /** Of records that are kept in memory; the rest waits in the file. */
  readonly memoryBytes: number;
  /** Is made when it is needed. */
  readonly file: string;
}

/** Records that wait to be sent, in their order: a bounded number in memory, the rest on disk. */
export class RecordQueue {
  readonly #options: RecordQueueOptions;
  #records: LogRecord[] = [];
  #bytes = 0;
  #file: number | undefined;
  #readAt = 0;
  #writeAt = 0;

  constructor(options: RecordQueueOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.isEmptyAfter(0);
  }

  /** Whether nothing is left once so many records are dropped. */
  isEmptyAfter(records: number): boolean {
    return this.#records.length <= records && this.#readAt === this.#writeAt;
  }

  push(record: LogRecord): void {
    const isWaitingOnDisk = this.#readAt < this.#writeAt;
    if (!isWaitingOnDisk && this.#bytes < this.#options.memoryBytes) this.#keep(record);
    else this.#write(record);
  }

  /** The next records, which stay until they are dropped. */
  peek({ maxRecords, maxBytes }: { readonly maxRecords: number; readonly maxBytes: number }): readonly LogRecord[] {
    if (this.#records.length < maxRecords) this.#refill();
    let bytes = 0;
    const end = this.#records.slice(0, maxRecords).findIndex((record) => {
      bytes += sizeOf(record);
      return bytes > maxBytes;
    });
    // One record alone always goes.
    return this.#records.slice(0, end === -1 ? maxRecords : Math.max(end, 1));
  }

  drop(count: number): void {
    for (const record of this.#records.splice(0, count)) this.#bytes -= sizeOf(record);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#records = [];
    this.#readAt = this.#writeAt;
  }

  #keep(record: LogRecord): void {
    this.#records.push(record);
    this.#bytes += sizeOf(record);
  }

  #write(record: LogRecord): void {
    this.#file ??= openSync(this.#options.file, 'w+', 0o600);
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    for (let done = 0; done < line.length; ) done += writeSync(this.#file, line, done, line.length - done, this.#writeAt + done);
    this.#writeAt += line.length;
  }

  /** Takes from the file what memory has room for: whole lines. */
  #refill(): void {
    if (this.#file === undefined || this.#readAt === this.#writeAt || this.#bytes >= this.#options.memoryBytes) return;
    const chunk = Buffer.alloc(Math.min(readBytes, this.#writeAt - this.#readAt));
    const length = readSync(this.#file, chunk, 0, chunk.length, this.#readAt);
    const end = chunk.subarray(0, length).lastIndexOf(newline) + 1;
    for (const line of chunk.toString('utf8', 0, end).split('\n')) if (line !== '') this.#keep(JSON.parse(line) as LogRecord);
    this.#readAt += end;
    if (this.#readAt < this.#writeAt) return;
    ftruncateSync(this.#file);
    this.#readAt = 0;
    this.#writeAt = 0;
  }
}

/** About what it takes in a report. */
function sizeOf({ text, step }: LogRecord): number {
  return Buffer.byteLength(text) + step.length + 80;
}

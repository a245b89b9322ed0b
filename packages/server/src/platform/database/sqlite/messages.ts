import { type ErrorName, RegistryError } from '../../../errors/index.ts';

/** To the writer thread. */
export interface WriteRequest {
  readonly id: number;
  /** Of the transaction definition. */
  readonly name: string;
  readonly input: unknown;
}

export type ToWriter =
  | { readonly kind: 'open'; readonly file: string; readonly transactionsModule: string }
  | { readonly kind: 'write'; readonly requests: readonly WriteRequest[] }
  | { readonly kind: 'close' }
  /** There will be no other file. */
  | { readonly kind: 'end' };

/** From the writer thread. */
export type WriteAnswer =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly failure: Failure };

export type FromWriter =
  | { readonly kind: 'opened' }
  | { readonly kind: 'open-failed'; readonly failure: Failure }
  | { readonly kind: 'answers'; readonly answers: readonly WriteAnswer[] }
  | { readonly kind: 'closed' };

/** An error in a form that crosses threads: `structuredClone` would drop the class and the fields of ours. */
export type Failure =
  | {
      readonly kind: 'expected';
      readonly error: ErrorName;
      readonly message: string;
      readonly detail: unknown;
      readonly headers: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'bug';
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly sqliteCode: number | undefined;
    };

export function encodeFailure(error: unknown): Failure {
  if (error instanceof RegistryError) {
    return { kind: 'expected', error: error.error, message: error.message, detail: error.detail, headers: error.headers };
  }
  if (error instanceof Error) {
    return { kind: 'bug', name: error.name, message: error.message, stack: error.stack, sqliteCode: sqliteCodeOf(error) };
  }
  return { kind: 'bug', name: 'Error', message: `thrown: ${String(error)}`, stack: undefined, sqliteCode: undefined };
}

export function decodeFailure(failure: Failure): Error {
  if (failure.kind === 'expected') {
    return new RegistryError(failure.error, { message: failure.message, detail: failure.detail, headers: failure.headers });
  }
  const error = new WriterError(failure.message, failure.sqliteCode);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}

/** An unexpected error inside the writer thread; its stack is the thread's. */
class WriterError extends Error {
  override readonly name = 'WriterError';
  /** SQLite's extended result code. */
  readonly sqliteCode: number | undefined;

  constructor(message: string, sqliteCode: number | undefined) {
    super(message);
    this.sqliteCode = sqliteCode;
  }
}

/** SQLite's extended result code of an error that `node:sqlite` threw. */
export function sqliteCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

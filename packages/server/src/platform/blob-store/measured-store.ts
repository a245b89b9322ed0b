import type { Clock } from '../clock.ts';
import {
  type BlobStore,
  PartExistsError,
  PartMissingError,
  type PartReader,
  type PartWriter,
  StoreFullError,
  StoreTransientError,
} from './blob-store.ts';

export type StoreOperation = 'create' | 'append' | 'commit' | 'cancel' | 'open' | 'read' | 'delete' | 'check';
export type StoreOutcome = 'ok' | 'exists' | 'missing' | 'full' | 'transient' | 'aborted' | 'failed';

export interface StoreMeasurement {
  /** `properties.kind` of the store. */
  readonly kind: string;
  readonly operation: StoreOperation;
  readonly outcome: StoreOutcome;
  readonly durationMs: number;
  /** Handed over or received; 0 for what moves no bytes and for what failed. */
  readonly bytes: number;
}

/** Tells `observe` of every call when it has ended. Time is the given clock's. */
export function measuredStore(store: BlobStore, clock: Clock, observe: (measurement: StoreMeasurement) => void): BlobStore {
  const { kind } = store.properties;
  const measure: Measure = async (operation, call, bytesOf) => {
    const startedAt = clock.now();
    const note = (outcome: StoreOutcome, bytes: number): void =>
      observe({ kind, operation, outcome, durationMs: clock.now() - startedAt, bytes });
    try {
      const result = await call();
      note('ok', bytesOf?.(result) ?? 0);
      return result;
    } catch (error) {
      note(outcomeOf(error), 0);
      throw error;
    }
  };
  return {
    properties: store.properties,
    create: async (name, signal) => measuredWriter(await measure('create', () => store.create(name, signal)), measure),
    open: async (name, signal) => measuredReader(await measure('open', () => store.open(name, signal)), measure),
    deleteMany: (names) => measure('delete', () => store.deleteMany(names)),
    check: () => measure('check', () => store.check()),
    close: () => store.close(),
  };
}

type Measure = <Result>(
  operation: StoreOperation,
  call: () => Promise<Result>,
  bytesOf?: (result: Result) => number,
) => Promise<Result>;

function measuredWriter(writer: PartWriter, measure: Measure): PartWriter {
  return {
    append: (buffers) => {
      // Afterwards they may be written, and empty.
      const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
      return measure(
        'append',
        () => writer.append(buffers),
        () => bytes,
      );
    },
    commit: () => measure('commit', () => writer.commit()),
    cancel: () => measure('cancel', () => writer.cancel()),
  };
}

function measuredReader(reader: PartReader, measure: Measure): PartReader {
  return {
    sizeBytes: reader.sizeBytes,
    read: (offset, target) =>
      measure(
        'read',
        () => reader.read(offset, target),
        (bytes) => bytes,
      ),
    close: () => reader.close(),
  };
}

function outcomeOf(error: unknown): StoreOutcome {
  if (error instanceof PartExistsError) return 'exists';
  if (error instanceof PartMissingError) return 'missing';
  if (error instanceof StoreFullError) return 'full';
  if (error instanceof StoreTransientError) return 'transient';
  return error instanceof Error && error.name === 'AbortError' ? 'aborted' : 'failed';
}

import type { Run } from '@berth/api';
import { type RunFacts, isEnded } from '../model.ts';
import { findRunByRow } from '../queries.ts';
import { runDocuments } from '../run-document.ts';
import type { PlainRunRow } from '../run-facts.ts';
import type { RunsContext } from '../runs-context.ts';
import { type LogFilter, readPage } from './log-page.ts';

/** How often to look whether another process has changed the run. */
const lookMs = 1_000;
/** Proxies end connections that say nothing. */
const heartbeatMs = 15_000;
const pageSize = 500;

export interface LiveLog {
  /** `limit` does not count here. */
  readonly filter: LogFilter;
  readonly signal: AbortSignal;
}

/** A log as server-sent events, from what is durable, until the run has ended and all is told. */
export async function* liveLog(
  context: RunsContext,
  { rowId, registryId }: RunFacts,
  { filter, signal }: LiveLog,
): AsyncGenerator<string, void, undefined> {
  const watch = context.events.watch(rowId);
  const place = { rowId, registryId };
  let next = filter.from;
  let shown = '';
  let saidAt = performance.now();
  // The first words, so that a client knows that it is connected.
  yield ': log\n\n';
  try {
    while (!signal.aborted && !context.signal.aborted) {
      const row = await findRunByRow(context.database.read, rowId);
      if (row === undefined) return;
      // Its run is read first: what comes after an end that was seen does not exist.
      for (let isMore = true; isMore && !signal.aborted; ) {
        const page = await readPage(context, place, { ...filter, from: next, limit: pageSize });
        isMore = page.next > next;
        if (page.records.length > 0) {
          yield page.records.map((record) => eventText('log', record, record.number)).join('');
          saidAt = performance.now();
        }
        next = page.next;
      }
      const text = await documentIfChanged(context, row, shown);
      if (text !== undefined) {
        shown = text.mark;
        saidAt = performance.now();
        yield eventText(isEnded(row.status) ? 'end' : 'run', text.document);
      }
      if (isEnded(row.status)) return;
      if (performance.now() - saidAt >= heartbeatMs) {
        saidAt = performance.now();
        yield ': still here\n\n';
      }
      await watch.wait(lookMs, [signal, context.signal]);
    }
  } finally {
    watch.stop();
  }
}

interface ChangedDocument {
  readonly document: Run | undefined;
  readonly mark: string;
}

/** While a run waits, its place in the queue changes without it. */
async function documentIfChanged(context: RunsContext, row: PlainRunRow, shown: string): Promise<ChangedDocument | undefined> {
  const { status, updated_at: updatedAt, steps } = row;
  const isQueued = status === 'Queued';
  const plain = `${status} ${updatedAt} ${steps}`;
  if (!isQueued && plain === shown) return undefined;
  const [document] = await runDocuments(context, [row]);
  const mark = isQueued ? JSON.stringify(document) : plain;
  return mark === shown ? undefined : { document, mark };
}

function eventText(event: 'log' | 'run' | 'end', data: unknown, id?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

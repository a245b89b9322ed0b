import { type LogRecord, runs } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { followRun } from '../follow-run.ts';
import { RunView } from '../log-view/run-view.ts';
import { openScreen } from '../log-view/screen.ts';
import type { Output } from '../output.ts';

export interface LogOptions {
  readonly follow?: boolean;
  readonly step?: string;
  readonly search?: string;
  readonly raw?: boolean;
}

interface Page {
  readonly records: readonly (LogRecord & { readonly number: number })[];
  readonly next: number | null;
}

/** `berth logs`: what there is of a log; with `--follow` until the run has ended. As JSON a record a line. */
export async function showLog(
  connection: Connection,
  output: Output,
  { id, options }: { readonly id: string; readonly options: LogOptions },
): Promise<void> {
  const { follow = false, raw = false, step, search } = options;
  const screen = openScreen(process.stdout, raw || output.isJson || !follow);
  const view = new RunView(screen, { isLogShown: true, isRaw: raw });
  const print = (record: LogRecord): void => (output.isJson ? output.write(JSON.stringify(record)) : view.log(record));
  try {
    if (follow)
      await followRun(connection, id, {
        view: output.isJson ? { log: print, run: () => undefined, remark: () => undefined } : view,
        step,
        search,
      });
    else for await (const record of pagesOf(connection, id, { step, search })) print(record);
  } finally {
    view.close();
  }
}

async function* pagesOf(
  connection: Connection,
  id: string,
  { step, search }: { readonly step: string | undefined; readonly search: string | undefined },
): AsyncGenerator<LogRecord> {
  const filter = { ...(step !== undefined && { step }), ...(search !== undefined && { search }) };
  for (let from: number | null = 0; from !== null; ) {
    const query = { ...filter, from: String(from), limit: '1000' };
    const page = (await callOperation(connection, runs.readLog, { params: { run: id }, query })) as Page;
    yield* page.records;
    // A run that goes on has no last page: what comes later is for --follow.
    from = page.next === null || page.next <= from ? null : page.next;
  }
}

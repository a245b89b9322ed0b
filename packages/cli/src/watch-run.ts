import type { Run } from '@berth/api';
import type { Connection } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import { cancelRun, followRun } from './follow-run.ts';
import { RunView } from './log-view/run-view.ts';
import { summaryLines } from './log-view/run-summary.ts';
import { openScreen } from './log-view/screen.ts';
import type { Output } from './output.ts';

/** How a run that was queued is waited for. */
export interface WatchOptions {
  /** False: prints the run's id and leaves. */
  readonly wait?: boolean;
  readonly logs?: boolean;
  readonly format?: boolean;
}

/**
 * Shows a run until it ends, and what came of it; the program's exit code says so, too. Ctrl-C cancels the run and waits for
 * its end, a second one leaves at once.
 */
export async function watchRun(
  connection: Connection,
  output: Output,
  { run, options }: { readonly run: Run; readonly options: WatchOptions },
): Promise<void> {
  const { wait = true, logs = true, format = true } = options;
  if (!wait) {
    output.write(output.isJson ? JSON.stringify(run) : run.id);
    return;
  }
  const screen = openScreen(output.isJson ? process.stderr : process.stdout, !format);
  const view = new RunView(screen, { isLogShown: logs, isRaw: !format });
  view.say(`Queued as run ${run.id}.`);
  const stop = cancelOnInterrupt(connection, run.id, view);
  try {
    const ended = await followRun(connection, run.id, { view });
    view.close();
    if (output.isJson) output.write(JSON.stringify(ended));
    else for (const line of summaryLines(ended, { isLogShown: logs })) output.write(line);
    process.exitCode = exitCodes[ended.status];
  } finally {
    view.close();
    stop();
  }
}

/** @returns ends it */
function cancelOnInterrupt(connection: Connection, id: string, view: RunView): () => void {
  let isAsked = false;
  const interrupt = (signal: NodeJS.Signals): void => {
    if (isAsked) process.exit(signal === 'SIGINT' ? 130 : 143);
    isAsked = true;
    view.say(`Cancelling run ${id}, and waiting for its end; Ctrl-C again leaves at once.`);
    cancelRun(connection, id).catch((error: unknown) => {
      view.say(`The run could not be cancelled: ${error instanceof Error ? error.message : 'no reason is known'}.`);
      isAsked = false;
    });
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return () => process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
}

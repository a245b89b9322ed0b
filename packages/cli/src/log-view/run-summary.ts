import type { Run } from '@berth/api';
import { bytesText } from '../output.ts';
import { durationText, elapsedMs } from './durations.ts';
import { plainLine } from './plain-line.ts';
import { tableLines } from './table.ts';

/**
 * What a run that has ended came to: its steps, its images, how it ended, and the last lines of what failed, unless the log is
 * shown already.
 */
export function summaryLines(run: Run, { isLogShown }: { readonly isLogShown: boolean }): readonly string[] {
  const [, ...last] = linesOf(run.error);
  return [
    ...(run.steps.length === 0 ? [] : ['', ...stepLines(run)]),
    ...(run.images.length === 0 ? [] : ['', ...run.images.map(imageLine)]),
    '',
    outcomeLine(run),
    ...(isLogShown ? [] : last.map((line) => `  ${line}`)),
  ].map(plainLine);
}

function stepLines({ steps }: Run): readonly string[] {
  const rows = steps.map(({ id, state, exitCode, startedAt, finishedAt, attempts, reason = '' }) => {
    const ms = elapsedMs(startedAt, finishedAt);
    const remarks = [attempts > 1 ? `${attempts} attempts` : '', state === 'succeeded' ? '' : (linesOf(reason)[0] ?? '')];
    return [
      id,
      state,
      exitCode === null ? '' : String(exitCode),
      ms === undefined ? '' : durationText(ms),
      remarks.filter((text) => text !== '').join(', '),
    ];
  });
  return tableLines(['step', 'state', 'exit code', 'time', ''], rows);
}

/** `registry/repository:tag@digest`, which clients pull. */
function imageLine({ registry, repository, tag, digest, sizeBytes, platforms = [] }: Run['images'][number]): string {
  const details = [...(sizeBytes === undefined ? [] : [bytesText(sizeBytes)]), ...platforms].join(', ');
  return `${registry}/${repository}${tag === null ? '' : `:${tag}`}@${digest}${details === '' ? '' : `  (${details})`}`;
}

const words: Readonly<Record<Run['status'], string>> = {
  Queued: 'waits in the queue',
  Started: 'has begun',
  Running: 'is running',
  Succeeded: 'succeeded',
  Failed: 'failed',
  Canceled: 'was cancelled',
  Error: 'ended with an error that is not its own',
  Timeout: 'ran out of time',
};

function outcomeLine({ id, status, createdAt, startedAt, finishedAt, error }: Run): string {
  const ms = elapsedMs(startedAt ?? createdAt, finishedAt);
  const [first = ''] = linesOf(error);
  const why = first === '' ? '' : `: ${first}`;
  return `Run ${id} ${words[status]}${ms === undefined ? '' : ` after ${durationText(ms)}`}${why}${/[.!?]$/.test(why) ? '' : '.'}`;
}

/** The first says why, the others are of the log. */
function linesOf(error: string | null): readonly string[] {
  return error === null ? [] : error.split(/\r?\n/).filter((line) => line.trim() !== '');
}

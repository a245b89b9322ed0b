import { type Run, runs } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import { CommandError } from '../command-error.ts';
import type { Connection } from '../connection.ts';
import { cancelRun } from '../follow-run.ts';
import { durationText, elapsedMs } from '../log-view/durations.ts';
import { plainLine } from '../log-view/plain-line.ts';
import { summaryLines } from '../log-view/run-summary.ts';
import { tableLines } from '../log-view/table.ts';
import { type Output, show } from '../output.ts';

export interface RunFilters {
  readonly task?: string;
  readonly status?: string;
  readonly image?: string;
  readonly agentPool?: string;
  readonly limit?: number;
}

const usualLimit = 15;
const maxPage = 100;

/** `berth runs`: the newest first. */
export async function listRuns(connection: Connection, output: Output, filters: RunFilters): Promise<void> {
  const { limit = usualLimit, ...rest } = filters;
  const found: Run[] = [];
  for (let before: string | null | undefined; before !== null && found.length < limit; ) {
    const query = {
      ...rest,
      limit: String(Math.min(maxPage, limit - found.length)),
      ...(before !== undefined && { before }),
    };
    const page = (await callOperation(connection, runs.listRuns, { query })) as { runs: readonly Run[]; next: string | null };
    found.push(...page.runs);
    before = page.runs.length === 0 ? null : page.next;
  }
  const lines = tableLines(['run', 'task', 'status', 'trigger', 'created', 'time', 'images'], found.map(rowOf));
  show(output, found, found.length === 0 ? 'There is no such run.' : lines.map(plainLine).join('\n'));
}

function rowOf({ id, task, status, trigger, createdAt, startedAt, finishedAt, images }: Run): readonly string[] {
  const ms = elapsedMs(startedAt, finishedAt);
  const names = [...new Set(images.map(({ repository, tag }) => (tag === null ? repository : `${repository}:${tag}`)))];
  return [
    id,
    task ?? '',
    status,
    trigger?.kind ?? 'manual',
    createdAt.replace(/\.\d+Z$/, 'Z'),
    ms === undefined ? '' : durationText(ms),
    names.join(' '),
  ];
}

/** `berth runs show`. */
export async function showRun(connection: Connection, output: Output, id: string): Promise<void> {
  const run = (await callOperation(connection, runs.getRun, { params: { run: id } })) as Run;
  const { runType, task, requestedBy, agentPool, agent, queue, createdAt, platform, isArchived, dependencies } = run;
  const lines = [
    `${runType}${task === null ? '' : ` of the task ${task}`}, asked for by ${requestedBy} at ${createdAt}`,
    `for ${platform.os} ${platform.architecture ?? ''}, agent ${agent ?? 'none yet'}${agentPool === null ? '' : ` of the pool ${agentPool}`}`,
    ...(queue === null ? [] : [`number ${queue.position} in the queue: ${queue.reason}`]),
    ...(isArchived ? ['kept for good'] : []),
    ...dependencies.flatMap(({ step, bases }) =>
      bases.map(({ role, registry, repository, tag, digest }) => {
        return `[${step}] is built on ${registry}/${repository}${tag === null ? '' : `:${tag}`}@${digest} (${role})`;
      }),
    ),
    ...summaryLines(run, { isLogShown: false }),
  ];
  show(output, run, lines.map(plainLine).join('\n'));
}

/** `berth runs cancel`: all of them, whatever becomes of one. */
export async function cancelRuns(connection: Connection, output: Output, ids: readonly string[]): Promise<void> {
  const canceled: Run[] = [];
  const refused: string[] = [];
  for (const id of ids) {
    try {
      const run = await cancelRun(connection, id);
      canceled.push(run);
      if (!output.isJson) output.write(cancelText(run));
    } catch (error) {
      if (!(error instanceof CommandError) || ids.length === 1) throw error;
      refused.push(`${id}: ${error.message}`);
    }
  }
  if (output.isJson) output.write(JSON.stringify(canceled));
  if (refused.length > 0)
    throw new CommandError(`${refused.length} of ${ids.length} runs could not be cancelled`, 'berth runs lists them', {
      details: refused,
    });
}

function cancelText({ id, status }: Run): string {
  if (status === 'Canceled') return `Run ${id} is cancelled.`;
  const hasEnded = !['Queued', 'Started', 'Running'].includes(status);
  return hasEnded ? `Run ${id} had ended before: ${status}.` : `Run ${id} is being cancelled: its agent stops it.`;
}

/** `berth runs archive`. */
export async function archiveRun(
  connection: Connection,
  output: Output,
  { id, isArchived }: { readonly id: string; readonly isArchived: boolean },
): Promise<void> {
  const run = await callOperation(connection, runs.archiveRun, { params: { run: id }, body: { isArchived } });
  show(
    output,
    run,
    isArchived ? `Run ${id} and its log are kept beyond their time.` : `Run ${id} and its log go when their time is over.`,
  );
}

import { tasks } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { plainLine } from '../log-view/plain-line.ts';
import { tableLines } from '../log-view/table.ts';
import { type Output, show } from '../output.ts';

interface DecisionsDocument {
  readonly decisions: readonly {
    readonly time: string;
    readonly trigger: string;
    readonly kind: string;
    readonly isFired: boolean;
    readonly reason: string;
    readonly run: string | null;
  }[];
  readonly baseImages: readonly {
    readonly image: string;
    readonly role: string;
    readonly recordedDigest: string;
    readonly currentDigest: string | null;
    readonly how: string;
    readonly checkedAt: string | null;
    readonly nextCheckAt: string | null;
    readonly problem: string | null;
  }[];
  readonly timers: readonly { readonly name: string; readonly schedule: string; readonly nextAt: string | null }[];
}

/** `berth task decisions`: why a task ran, or did not, and what its triggers look at. */
export async function showDecisions(
  connection: Connection,
  output: Output,
  { name, limit }: { readonly name: string; readonly limit: number | undefined },
): Promise<void> {
  const query = limit === undefined ? {} : { limit: String(limit) };
  const found = (await callOperation(connection, tasks.listDecisions, { params: { task: name }, query })) as DecisionsDocument;
  const { decisions, baseImages, timers } = found;
  const decided = decisions.map(({ time, trigger, kind, isFired, reason, run }) => [
    wholeSecond(time),
    kind,
    trigger,
    isFired ? `run ${run ?? ''}` : 'no run',
    reason,
  ]);
  const lines = [
    ...(decided.length === 0
      ? ['Its triggers have decided nothing yet.']
      : tableLines(['time', 'kind', 'trigger', 'result', 'reason'], decided)),
    ...baseImages.flatMap(baseImageLines),
    ...timers.map(
      (timer) =>
        `The timer ${timer.name} (${timer.schedule}) comes next at ${timer.nextAt === null ? 'no time' : wholeSecond(timer.nextAt)}.`,
    ),
  ];
  show(output, found, lines.map(plainLine).join('\n'));
}

function baseImageLines({
  image,
  role,
  recordedDigest,
  currentDigest,
  how,
  checkedAt,
  nextCheckAt,
  problem,
}: DecisionsDocument['baseImages'][number]): readonly string[] {
  const state =
    currentDigest === null
      ? 'its digest now is not known'
      : currentDigest === recordedDigest
        ? 'is the one that was built on'
        : `is now ${currentDigest}`;
  const looks =
    how === 'push'
      ? 'each push tells'
      : `looked at ${checkedAt === null ? 'never' : wholeSecond(checkedAt)}, again ${nextCheckAt === null ? 'never' : wholeSecond(nextCheckAt)}`;
  return [
    `The base image ${image} (${role}), built on as ${recordedDigest}: ${state}; ${looks}.`,
    ...(problem === null ? [] : [`  It cannot be looked at: ${problem}`]),
  ];
}

interface Hook {
  readonly url: string;
  readonly secret: string;
  readonly isInstalled: boolean;
  readonly problem: string | null;
}

/** `berth task hook`: what to enter at a forge. */
export async function showHook(
  connection: Connection,
  output: Output,
  { name, trigger }: { readonly name: string; readonly trigger: string },
): Promise<void> {
  const hook = (await callOperation(connection, tasks.getHook, { params: { task: name, trigger } })) as Hook;
  const { url, secret, isInstalled, problem } = hook;
  const lines = [
    isInstalled
      ? 'The server has entered this webhook at the forge by itself.'
      : 'Enter this webhook at the forge, with JSON as its content:',
    `  address  ${url}`,
    `  secret   ${secret}`,
    ...(problem === null ? [] : [`The server could not enter it by itself: ${problem}`]),
  ];
  show(output, hook, lines.join('\n'));
}

function wholeSecond(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

import { setTimeout as pause } from 'node:timers/promises';
import { upkeep } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import { CommandError } from '../command-error.ts';
import type { Connection } from '../connection.ts';
import { type Output, bytesText, parseSize, show } from '../output.ts';

interface ScrubState {
  readonly state: 'never' | 'running' | 'finished' | 'stopped';
  readonly partsChecked: number;
  readonly bytesChecked: number;
  readonly manifestsChecked: number;
  readonly repairedBlobs: number;
  readonly damage: readonly { readonly part: string; readonly digest: string | null; readonly reason: string }[];
}

const pollMs = 500;

/** `berth scrub`: reopens all that is stored; with `wait` until it is done. Resolves with whether no damage is known. */
export async function scrub(
  connection: Connection,
  output: Output,
  options: { readonly pace: string | undefined; readonly isWaiting: boolean },
): Promise<boolean> {
  const bytesPerSecond = options.pace === undefined ? undefined : parseSize(options.pace);
  if (options.pace !== undefined && (bytesPerSecond === undefined || bytesPerSecond < 1))
    throw new CommandError(`"${options.pace}" is no pace`, 'write bytes per second, such as 50MiB');
  let state = (await callOperation(connection, upkeep.startScrub, {
    body: bytesPerSecond === undefined ? {} : { bytesPerSecond },
  })) as ScrubState;
  while (options.isWaiting && state.state === 'running') {
    await pause(pollMs);
    state = await scrubState(connection);
  }
  if (options.isWaiting && state.state === 'stopped')
    throw new CommandError('the scrub stopped before its end', 'see the log of the server, and scrub again');
  show(output, state, textOf(state));
  return state.damage.length === 0;
}

/** `berth scrub --status`. */
export async function showScrub(connection: Connection, output: Output): Promise<boolean> {
  const state = await scrubState(connection);
  show(output, state, textOf(state));
  return state.damage.length === 0;
}

async function scrubState(connection: Connection): Promise<ScrubState> {
  return (await callOperation(connection, upkeep.getScrub)) as ScrubState;
}

function textOf(state: ScrubState): string {
  const progress = `${state.partsChecked} parts (${bytesText(state.bytesChecked)}) and ${state.manifestsChecked} manifests opened`;
  const head = state.state === 'never' ? 'No scrub has run since the server started.' : `Scrub ${state.state}: ${progress}.`;
  const damage = state.damage.map((each) => `  ${each.digest ?? each.part}: ${each.reason}`);
  const repaired =
    state.repairedBlobs === 0 ? '' : ` ${state.repairedBlobs} damaged blobs were replaced by what other regions have.`;
  return damage.length === 0
    ? `${head}${repaired} No damage is known.`
    : [`${head}${repaired}`, `Damaged (push the content again to mend it):`, ...damage].join('\n');
}

import type { Run, RunSource, RunToQueue } from '@berth/api';
// Only these operations: to load the whole contract takes as long as to send a small folder.
import * as runs from '@berth/api/runs';
import { callOperation } from './call-operation.ts';
import type { Connection } from './connection.ts';
import { openScreen } from './log-view/screen.ts';
import { bytesText } from './output.ts';
import type { PreparedFolder } from './packing/prepare-folder.ts';
import { uploadSource } from './upload-source.ts';

/** Options that every run has. */
export interface QueueOptions {
  readonly timeout?: number;
  readonly agentPool?: string;
}

/** Packs and sends a folder; on a terminal it shows how far it is. @throws CommandError */
export async function sendFolder(connection: Connection, { folder, entries }: PreparedFolder): Promise<RunSource> {
  const screen = openScreen(process.stderr);
  let shownAt = 0;
  const show = (sentBytes: number): void => {
    const now = performance.now();
    if (now - shownAt < 100) return;
    shownAt = now;
    screen.status(`Packing and sending ${folder}: ${bytesText(sentBytes)}`);
  };
  try {
    const { id, sizeBytes } = await uploadSource(connection, entries, show);
    if (screen.isLive) screen.line(`Sent ${folder}: ${bytesText(sizeBytes)}.`);
    return { kind: 'upload', id };
  } finally {
    screen.status('');
  }
}

/** Tells that something of a folder was left behind. */
export function reportPassedOver(path: string): void {
  console.error(`${path} is a socket, a pipe or a device, and was not sent.`);
}

export async function queueRun(connection: Connection, request: RunToQueue): Promise<Run> {
  return (await callOperation(connection, runs.queueRun, { body: request })) as Run;
}

export function queueFields({ timeout, agentPool }: QueueOptions): Partial<RunToQueue> {
  return { ...(timeout !== undefined && { timeoutSeconds: timeout }), ...(agentPool !== undefined && { agentPool }) };
}

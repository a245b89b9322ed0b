import { setTimeout as pause } from 'node:timers/promises';
import type { IncomingMessage } from 'node:http';
import type { LogRecord, Run } from '@berth/api';
import * as runs from '@berth/api/runs';
import { callOperation } from './call-operation.ts';
import { CommandError } from './command-error.ts';
import type { Connection } from './connection.ts';
import { readEvents } from './log-view/event-stream.ts';
import { readAnswer } from './read-answer.ts';
import { pathOf, sendRequest } from './send-request.ts';

/** The server says something every 15 seconds. */
const silenceMs = 60_000;
const firstPauseMs = 250;
const longestPauseMs = 5_000;
/** Restarts and broken networks are shorter. */
const giveUpMs = 180_000;

/** What is told of a run. */
export interface RunListener {
  log(record: LogRecord): void;
  /** At each change. */
  run(run: Run): void;
  /** Something about the connection; empty: no longer. */
  remark(text: string): void;
}

export interface Following {
  readonly view: RunListener;
  /** Lines of this step only. */
  readonly step?: string | undefined;
  readonly search?: string | undefined;
}

/**
 * Shows a run until it has ended; resolves with it. A connection that breaks is made again, and goes on where the last one
 * ended. @throws CommandError when the server is away for three minutes, or refuses
 */
export async function followRun(connection: Connection, id: string, following: Following): Promise<Run> {
  const place: Place = { lastEventId: undefined };
  let lostAt: number | undefined;
  let pauseMs = firstPauseMs;
  for (;;) {
    const before = place.lastEventId;
    const outcome = await followOnce(connection, { id, place, following });
    if (outcome.run !== undefined) return outcome.run;
    if (outcome.hasAnswered || place.lastEventId !== before) [lostAt, pauseMs] = [undefined, firstPauseMs];
    lostAt ??= performance.now();
    if (performance.now() - lostAt > giveUpMs) {
      throw new CommandError(
        `${connection.origin} has not answered for ${giveUpMs / 60_000} minutes; the run goes on without its viewer`,
        `berth logs ${id} --follow shows the rest`,
        { cause: outcome.error, exitCode: 5 },
      );
    }
    following.view.remark('(connecting again)');
    await pause(pauseMs);
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
  }
}

interface Place {
  lastEventId: string | undefined;
}

interface Attempt {
  readonly id: string;
  readonly place: Place;
  readonly following: Following;
}

interface AttemptOutcome {
  readonly run?: Run;
  readonly hasAnswered: boolean;
  readonly error?: unknown;
}

async function followOnce(connection: Connection, { id, place, following }: Attempt): Promise<AttemptOutcome> {
  const { step, search, view } = following;
  const query = { ...(step !== undefined && { step }), ...(search !== undefined && { search }) };
  const { outgoing, answer } = sendRequest(connection, {
    method: runs.readLog.method,
    path: pathOf(runs.readLog, { params: { run: id }, query }),
    headers: {
      Accept: 'text/event-stream',
      ...(place.lastEventId !== undefined && { 'Last-Event-ID': place.lastEventId }),
    },
    silenceMs,
  });
  outgoing.end();
  let incoming: IncomingMessage;
  try {
    incoming = await answer;
  } catch (error) {
    return { hasAnswered: false, error };
  }
  const status = incoming.statusCode ?? 0;
  if (status === 429 || status >= 500) {
    outgoing.destroy();
    return { hasAnswered: false, error: new Error(`status ${status}`) };
  }
  if (status !== 200) await readAnswer(connection, runs.readLog, incoming);
  view.remark('');
  try {
    const run = await showEvents(incoming, place, view);
    return run === undefined ? { hasAnswered: true } : { run, hasAnswered: true };
  } catch (error) {
    return { hasAnswered: true, error };
  } finally {
    outgoing.destroy();
  }
}

/** Resolves with the run at its end; undefined when the stream breaks off before. */
async function showEvents(incoming: IncomingMessage, place: Place, view: RunListener): Promise<Run | undefined> {
  for await (const { event, data, id } of readEvents(incoming.setEncoding('utf8') as AsyncIterable<string>)) {
    if (event === 'log') view.log(JSON.parse(data) as LogRecord);
    else if (event === 'run' || event === 'end') {
      const run = JSON.parse(data) as Run;
      view.run(run);
      if (event === 'end') return run;
    }
    // After the record is shown: one that was not is sent again.
    place.lastEventId = id;
  }
  return undefined;
}

/** Asks that a run ends. */
export async function cancelRun(connection: Connection, id: string): Promise<Run> {
  return (await callOperation(connection, runs.cancelRun, { params: { run: id } })) as Run;
}

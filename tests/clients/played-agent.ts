import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Assignment, type ClaimRequest, type OutputImage, type RunReport, leaseHeader } from '@berth/api';
import { Agent, type Dispatcher, request } from 'undici';

/** Where a registry is, and who runs it. */
export interface AgentTarget {
  readonly origin: string;
  readonly username: string;
  readonly password: string;
  /** PEM file of the authority to trust; undefined: none of our own. */
  readonly authorityFile: string | undefined;
}

/** A run as its agent got it. */
export interface PlayedRun {
  readonly assignment: Assignment;
  /** The archive that was uploaded for it. */
  readonly archive: Buffer | undefined;
}

/** What becomes of a run. */
export interface PlayedEnd {
  readonly lines: readonly string[];
  readonly outcome: 'Succeeded' | 'Failed' | 'Error' | 'Timeout';
  readonly images?: readonly OutputImage[];
}

/** Whatever executes runs: for clients of the resource manager it is the same who. */
export interface StartedAgent extends AsyncDisposable {
  /** Runs that have ended, the oldest first. */
  readonly runs: readonly PlayedRun[];
}

/**
 * An agent that speaks the agents' protocol as the real one does and executes nothing: `play` says what becomes of each run. So
 * the tests of clients need no container engine.
 */
export async function startPlayedAgent(
  target: AgentTarget,
  play: (run: PlayedRun) => PlayedEnd | Promise<PlayedEnd>,
): Promise<StartedAgent> {
  const connect = target.authorityFile === undefined ? {} : { ca: readFileSync(target.authorityFile) };
  const dispatcher = new Agent({ connect });
  const stopping = new AbortController();
  const server: Server = { target, dispatcher, signal: stopping.signal };
  const key = await makeKey(server);
  const runs: PlayedRun[] = [];
  const ended = work(server, basicOf('$agent', key), async (run) => {
    const end = await play(run);
    runs.push(run);
    return end;
  });
  return {
    runs,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await ended;
      await dispatcher.close();
    },
  };
}

interface Server {
  readonly target: AgentTarget;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

async function makeKey(server: Server): Promise<string> {
  const { username, password } = server.target;
  const made = await call(server, '/berth/v1/agent-keys', basicOf(username, password), { body: { name: 'played' } });
  return (JSON.parse(made.body.toString()) as { readonly key: string }).key;
}

async function work(server: Server, authorization: string, play: (run: PlayedRun) => Promise<PlayedEnd>): Promise<void> {
  const claim: ClaimRequest = {
    agent: {
      name: 'played',
      version: '1',
      engine: 'docker',
      engineVersion: '1',
      os: 'Linux',
      architectures: ['amd64'],
      capacity: 1,
    },
    holds: [],
    waitSeconds: 20,
  };
  while (!server.signal.aborted) {
    try {
      const claimed = await call(server, '/berth/v1/agent/claims', authorization, { body: claim });
      if (claimed.status === 200) await execute(server, authorization, JSON.parse(claimed.body.toString()) as Assignment, play);
    } catch (error) {
      // The server may end first: then it is away until somebody stops this.
      if (!isAway(error) && !server.signal.aborted) throw error;
      await pause(100, undefined, { signal: server.signal }).catch(() => undefined);
    }
  }
}

function isAway(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'UND_ERR_SOCKET';
}

async function execute(
  server: Server,
  authorization: string,
  assignment: Assignment,
  play: (run: PlayedRun) => Promise<PlayedEnd>,
): Promise<void> {
  const path = `/berth/v1/agent/runs/${assignment.run.id}`;
  const headers = { [leaseHeader]: assignment.lease };
  const report = (body: RunReport) => call(server, `${path}/reports`, authorization, { body, headers });
  const archive =
    assignment.source?.kind === 'upload' ? (await call(server, `${path}/source`, authorization, { headers })).body : undefined;
  const { lines, outcome, images = [] } = await play({ assignment, archive });
  const log = lines.map((text) => ({ time: Date.now(), step: 'build', stream: 'stdout' as const, text }));
  // A client sees the log grow, and then end.
  await report({ logFrom: 0, log });
  const message = outcome === 'Succeeded' ? null : 'it was to fail';
  await report({ end: { outcome, message, images: [...images], dependencies: [], temporaryTags: [] } });
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

interface Call {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call(server: Server, path: string, authorization: string, { body, headers }: Call): Promise<Answer> {
  const answer = await request(new URL(path, server.target.origin), {
    method: body === undefined ? 'GET' : 'POST',
    dispatcher: server.dispatcher,
    signal: server.signal,
    headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  if (answer.statusCode >= 300) throw new Error(`${path}: ${answer.statusCode} ${bytes}`);
  return { status: answer.statusCode, body: bytes };
}

function basicOf(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

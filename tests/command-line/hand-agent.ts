import assert from 'node:assert/strict';
import { type Assignment, type LogRecord, type RunReport, leaseHeader } from '@berth/api';

interface Server {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/** An agent that is played by hand: it speaks the agents' protocol, and executes nothing. */
export class HandAgent {
  readonly #url: string;
  readonly #authorization: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#authorization = basicOf('$agent', key);
  }

  /** Waits for a run, and takes it. */
  async claim(): Promise<HandRun> {
    const agent = {
      name: 'by-hand',
      version: '1',
      engine: 'docker',
      engineVersion: '20.10',
      os: 'Linux',
      architectures: ['amd64'],
      capacity: 8,
    };
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const answer = await this.call('/berth/v1/agent/claims', { body: { agent, holds: [], waitSeconds: 20 } });
      if (answer.status === 200) return new HandRun(this, (await answer.json()) as Assignment);
    }
    return assert.fail('there was no run to take');
  }

  async call(
    path: string,
    { body, headers }: { readonly body?: object; readonly headers?: Record<string, string> },
  ): Promise<Response> {
    const answer = await fetch(new URL(path, this.#url), {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: this.#authorization, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return answer;
  }
}

/** A run that such an agent holds. */
export class HandRun {
  readonly assignment: Assignment;
  readonly #agent: HandAgent;
  #said = 0;

  constructor(agent: HandAgent, assignment: Assignment) {
    this.#agent = agent;
    this.assignment = assignment;
  }

  /** Adds lines to the log, and tells what else is new. Resolves with whether the run is to be cancelled. */
  async report(texts: readonly string[], more: Omit<RunReport, 'log' | 'logFrom'> = {}, step = 'build'): Promise<boolean> {
    const log = texts.map((text): LogRecord => ({ time: Date.now(), step, stream: 'stdout', text }));
    const { run, lease } = this.assignment;
    const answer = await this.#agent.call(`/berth/v1/agent/runs/${run.id}/reports`, {
      body: { logFrom: this.#said, log, ...more },
      headers: { [leaseHeader]: lease },
    });
    this.#said += log.length;
    return ((await answer.json()) as { readonly isCanceled: boolean }).isCanceled;
  }

  async end(outcome: NonNullable<RunReport['end']>['outcome'], more: Partial<NonNullable<RunReport['end']>> = {}): Promise<void> {
    const message = outcome === 'Succeeded' ? null : 'it was to end so';
    await this.report([], { end: { outcome, message, images: [], dependencies: [], temporaryTags: [], ...more } });
  }

  /** Reports until the server says that the run is to be cancelled. */
  async untilCanceled(): Promise<void> {
    for (let attempt = 0; attempt < 600; attempt += 1) if (await this.report([])) return;
    assert.fail('nobody cancelled the run');
  }

  async source(): Promise<Buffer> {
    const { run, lease } = this.assignment;
    const answer = await this.#agent.call(`/berth/v1/agent/runs/${run.id}/source`, { headers: { [leaseHeader]: lease } });
    return Buffer.from(await answer.arrayBuffer());
  }
}

/** @param server of which a key is made */
export async function handAgentOf({ url, username, password }: Server): Promise<HandAgent> {
  const answer = await fetch(new URL('/berth/v1/agent-keys', url), {
    method: 'POST',
    headers: { authorization: basicOf(username, password), 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'by-hand' }),
  });
  assert.equal(answer.status, 201);
  return new HandAgent(url, ((await answer.json()) as { readonly key: string }).key);
}

function basicOf(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { type Assignment, type ClaimRequest, type RunReport, agents, leaseHeader } from '@berth/api';
import type { SecretSource } from '@berth/task-file';
import { HttpExchange } from './http-exchange.ts';
import { ServerError, kindOfStatus } from './server-error.ts';

/** Between two requests; long polls take as long as they wait, and this. */
const silenceMs = 30_000;
/** Of an answer that is not an archive: an assignment holds a task file of 1 MiB at the most. */
const maxAnswerBytes = 8 * 1024 * 1024;

/** A run, and the proof that this agent holds it. */
export interface HeldRun {
  readonly run: string;
  readonly lease: string;
}

export interface ReportAnswer {
  readonly isCanceled: boolean;
  readonly leaseSeconds: number;
  readonly logRecords: number;
}

export interface ServerClientOptions {
  readonly server: URL;
  readonly key: string;
  /** PEM text. */
  readonly authority: string | undefined;
}

/** What an agent asks its server. Every method throws ServerError, or the signal's reason. */
export class ServerClient {
  readonly #exchange: HttpExchange;
  readonly #authorization: string;

  constructor({ server, key, authority }: ServerClientOptions) {
    this.#exchange = new HttpExchange(server, authority);
    this.#authorization = `Basic ${Buffer.from(`$agent:${key}`).toString('base64')}`;
  }

  close(): void {
    this.#exchange.close();
  }

  /** A run to execute; undefined when there is none within `waitSeconds`. */
  async claim(request: ClaimRequest, signal: AbortSignal): Promise<Assignment | undefined> {
    const { method, path } = agents.claimRun;
    const answer = await this.#ask({ method, path, body: request, silenceMs: request.waitSeconds * 1000 + silenceMs, signal });
    return answer as Assignment | undefined;
  }

  async report(held: HeldRun, report: RunReport, signal: AbortSignal): Promise<ReportAnswer> {
    const { method, path } = agents.reportRun;
    return (await this.#ask({ method, path, held, body: report, signal })) as ReportAnswer;
  }

  /** The values of secrets, by id. */
  async resolveSecrets(
    held: HeldRun,
    sources: readonly SecretSource[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const { method, path } = agents.resolveSecrets;
    const secrets = sources.map(({ id, keyvault, clientId }) => ({ id, keyvault, ...(clientId !== undefined && { clientId }) }));
    const answer = (await this.#ask({ method, path, held, body: { secrets }, silenceMs: 120_000, signal })) as {
      readonly secrets: readonly { readonly id: string; readonly value: string }[];
    };
    return new Map(answer.secrets.map(({ id, value }) => [id, value]));
  }

  /** The archive that was uploaded for a run; it breaks off when nothing comes for a while. */
  async readSource(held: HeldRun, signal: AbortSignal): Promise<IncomingMessage> {
    const { method, path } = agents.readAgentSource;
    const answer = await this.#send({ method, path, held, signal });
    if (answer.statusCode !== 200) throw await refusalOf(answer);
    return answer;
  }

  async #ask(question: Question): Promise<unknown> {
    const answer = await this.#send(question);
    if (answer.statusCode === 204) {
      answer.resume();
      return undefined;
    }
    if (answer.statusCode !== 200) throw await refusalOf(answer);
    const json = parseObject(await readText(answer));
    if (json === undefined) throw new ServerError('away', 'what answers there is no Berth server: its answer is not JSON');
    return json;
  }

  #send({ method, path, held, body, silenceMs: silence = silenceMs, signal }: Question): Promise<IncomingMessage> {
    return this.#exchange.send({
      method,
      path: path.replace('{run}', encodeURIComponent(held?.run ?? '')),
      headers: { Authorization: this.#authorization, ...(held !== undefined && { [leaseHeader]: held.lease }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      silenceMs: silence,
      signal,
    });
  }
}

interface Question {
  readonly method: string;
  readonly path: string;
  readonly held?: HeldRun;
  readonly body?: object;
  readonly silenceMs?: number;
  readonly signal: AbortSignal;
}

async function refusalOf(answer: IncomingMessage): Promise<ServerError> {
  const status = answer.statusCode ?? 0;
  const { errors } = (parseObject(await readText(answer)) ?? {}) as {
    errors?: readonly { message?: unknown; detail?: unknown }[];
  };
  const message = errors?.[0]?.message;
  // Whatever answers in other words is not the server, but something before it, or in its place.
  if (typeof message !== 'string') return new ServerError('away', `what answers there is no Berth server (status ${status})`);
  return new ServerError(kindOfStatus(status), message);
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxAnswerBytes) throw new ServerError('away', 'the answer is larger than any that a Berth server gives');
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof ServerError) throw error;
    throw new ServerError('away', 'the server broke off its answer', { cause: error });
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseObject(text: string): object | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}

import type { IncomingMessage } from 'node:http';
import type { Static, TSchema } from 'typebox';
import { fitSchema } from '../../platform/fit-schema.ts';
import { PeerBody } from './peer-body.ts';
import { type ErrorAnswer, damaged, failureOf, unreachable } from './peer-failures.ts';

/** Answers that are read whole: pages of facts, and errors. */

export interface AnswerSource {
  readonly region: string;
  readonly address: URL;
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/** Nobody sends a page drop by drop for longer. */
const totalMs = 120_000;
const maxErrorBytes = 64 * 1024;

export interface Expected<T extends TSchema> {
  readonly schema: T;
  readonly maxBytes: number;
}

/** The JSON of an answer with the status 200, as the contract has it. @throws PeerError, or the signal's reason */
export async function readAnswer<T extends TSchema>(
  source: AnswerSource,
  response: IncomingMessage,
  { schema, maxBytes }: Expected<T>,
): Promise<Static<T>> {
  return checked(source, schema, await readJson(source, response, maxBytes));
}

/** The JSON of an answer with the status 200. @throws PeerError, or the signal's reason */
export async function readJson(source: AnswerSource, response: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (response.statusCode !== 200) throw failureOf(source.region, await readError(source, response));
  const value = parseJson(await readAll(source, response, maxBytes));
  if (value === undefined) throw damaged(source.region, 'something that is not JSON');
  return value;
}

/** The value, if the contract has it so. @throws PeerError */
export async function checked<T extends TSchema>(
  { region }: Pick<AnswerSource, 'region'>,
  schema: T,
  value: unknown,
): Promise<Static<T>> {
  const fit = await fitSchema(schema, value);
  if ('value' in fit) return fit.value;
  throw damaged(region, `something else than was asked for: ${fit.problem}`);
}

/** What an error answer says. A strange one may hold anything, and says nothing. @throws PeerError, or the signal's reason */
export async function readError(source: AnswerSource, response: IncomingMessage): Promise<ErrorAnswer> {
  const status = response.statusCode ?? 0;
  const value = parseJson(await readAll(source, response, maxErrorBytes)) as
    | { readonly errors?: readonly { readonly code?: unknown; readonly message?: unknown; readonly detail?: unknown }[] }
    | null
    | undefined;
  const [first] = Array.isArray(value?.errors) ? value.errors : [];
  const code = typeof first?.code === 'string' ? first.code.slice(0, 64) : undefined;
  const detail = first?.detail as { readonly reason?: unknown } | null | undefined;
  return {
    status,
    code,
    message: typeof first?.message === 'string' ? first.message.slice(0, 512) : '',
    reason: typeof detail?.reason === 'string' ? detail.reason.slice(0, 64) : undefined,
  };
}

async function readAll(source: AnswerSource, response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const announced = response.headers['content-length'];
  const lengthBytes = announced === undefined ? undefined : Number(announced);
  if (lengthBytes !== undefined && lengthBytes > maxBytes) {
    response.destroy();
    throw damaged(source.region, `more than the ${maxBytes} bytes that are taken`);
  }
  const body = new PeerBody({ ...source, response, lengthBytes, maxBytes });
  const end = setTimeout(() => body.destroy(unreachable(source.region, source.address, 'it sends too slowly')), totalMs);
  try {
    return Buffer.concat((await body.toArray()) as Buffer[]);
  } finally {
    clearTimeout(end);
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

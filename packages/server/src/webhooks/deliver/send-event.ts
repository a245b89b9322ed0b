import { OutboundError } from '../../platform/outbound/index.ts';
import type { OutboundAnswer } from '../../platform/outbound/index.ts';
import type { Callback, PayloadFormat } from '../model.ts';
import type { Payload } from '../payloads.ts';
import { shapeOf } from '../shapes.ts';
import { signatureHeaders } from '../signing.ts';
import type { WebhooksContext } from '../webhooks-context.ts';
import { type Exchange, shownAddress, shownAnswer, shownHeaders } from './exchange.ts';

/** As long as ACR waits (acr-api 5.1). */
const totalMs = 5_000;
/** Of an answer, as much is looked at; whatever comes behind it is left. */
const maxAnswerBytes = 16 * 1024;

export interface EventToSend {
  readonly payload: Payload;
  readonly callback: Callback;
  readonly format: PayloadFormat;
  readonly resourceId: string;
}

/** Sends an event once. Never throws: what went wrong stands in the exchange. @throws the signal's reason when the server stops */
export async function sendEvent(
  context: WebhooksContext,
  { payload, callback, format, resourceId }: EventToSend,
): Promise<Exchange> {
  const { outbound, clock, region, signal } = context;
  const { serviceUri, customHeaders, signingSecret } = callback;
  const body = shapeOf(payload, { format, resourceId, region });
  const at = clock.now();
  const signature =
    signingSecret === undefined ? {} : signatureHeaders(signingSecret, { id: payload.id, now: at, body: body.text });
  const headers = mergeHeaders({ 'Content-Type': body.contentType, ...body.headers }, customHeaders, signature);
  const request = { uri: shownAddress(serviceUri), headers: shownHeaders(headers) };
  const began = performance.now();
  const took = (): number => Math.round(performance.now() - began);
  try {
    const answer = await outbound.request({
      url: serviceUri,
      method: 'POST',
      headers,
      body: body.text,
      signal,
      totalMs,
      // An address was checked; where it would send us was not, and what is sent is for nobody else.
      maxRedirects: 0,
      maxBytes: Number.MAX_SAFE_INTEGER,
    });
    const content = await beginningOf(answer);
    return {
      at,
      durationMs: took(),
      request,
      response: { status: answer.status, ...shownAnswer({ headers: answer.headers, content }, callback) },
      problem: null,
    };
  } catch (error) {
    if (signal.aborted || !(error instanceof OutboundError)) throw error;
    const isLate = error.kind === 'timeout';
    // ACR logs a receiver that is too slow so.
    const response = isLate ? { status: 504, headers: {}, content: '' } : null;
    return { at, durationMs: took(), request, response, problem: error.message };
  }
}

/** Later ones win, whatever the case of their names. */
function mergeHeaders(...all: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>> {
  const merged = new Map<string, [string, string]>();
  for (const [name, value] of all.flatMap(Object.entries<string>)) merged.set(name.toLowerCase(), [name, value]);
  return Object.fromEntries(merged.values());
}

/** A status counts once it is there, whatever becomes of the body. */
async function beginningOf(answer: OutboundAnswer): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= maxAnswerBytes) break;
    }
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
  } finally {
    answer.discard();
  }
  return Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString('utf8');
}

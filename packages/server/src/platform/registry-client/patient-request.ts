import { type Outbound, type OutboundAnswer, OutboundError, type OutboundRequest } from '../outbound/index.ts';
import type { Clock } from '../clock.ts';
import { RemoteError, fromOutbound } from './remote-error.ts';

export interface Patience {
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly wait: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** Default: 5. Whoever comes back by himself tries once. */
  readonly maxTries?: number;
}

const usualTries = 5;
const firstDelayMs = 1000;
/** Whoever wants us back later than this is told to others as busy. */
const maxDelayMs = 120_000;

const busyStatuses = new Set([429, 502, 503, 504]);
const passingKinds = new Set(['broken', 'timeout', 'unreachable']);

/** Sends a request again while the other side is busy or out of reach for the moment. @throws RemoteError, or the signal's reason */
export async function requestPatiently(patience: Patience, request: OutboundRequest): Promise<OutboundAnswer> {
  const { maxTries = usualTries } = patience;
  for (let tries = 1; ; tries += 1) {
    const outcome = await attempt(patience, request);
    const isBusy = outcome instanceof OutboundError || busyStatuses.has(outcome.status);
    if (!isBusy) return outcome;
    const ownDelayMs = firstDelayMs * 2 ** (tries - 1);
    const delayMs = outcome instanceof OutboundError ? ownDelayMs : (retryAfter(outcome, patience.clock) ?? ownDelayMs);
    if (tries === maxTries || delayMs > maxDelayMs) throw givingUp(outcome, delayMs);
    if (!(outcome instanceof OutboundError)) outcome.discard();
    await patience.wait(delayMs, request.signal);
  }
}

/** An error that may pass is an outcome. */
async function attempt({ outbound }: Patience, request: OutboundRequest): Promise<OutboundAnswer | OutboundError> {
  try {
    return await outbound.request(request);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    if (passingKinds.has(error.kind)) return error;
    throw fromOutbound(error);
  }
}

function givingUp(outcome: OutboundAnswer | OutboundError, delayMs: number): RemoteError {
  if (outcome instanceof OutboundError) return fromOutbound(outcome);
  outcome.discard();
  const wish = outcome.status === 429 ? 'gets too many requests' : `is busy (it answers ${outcome.status})`;
  return new RemoteError('busy', `${outcome.url.host} ${wish}: try again in ${Math.ceil(delayMs / 1000)} seconds or later`, {
    retryAfterMs: delayMs,
  });
}

/** In milliseconds; seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(answer: OutboundAnswer, clock: Clock): number | undefined {
  const text = answer.headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - clock.now());
}

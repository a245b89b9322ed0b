import type { OutboundError } from '../outbound/index.ts';

/**
 * `not-found`: no such manifest or blob, or the registry does not tell. `denied`: it wants other credentials. `refused-address`: it
 * is where this server does not go. `busy`: it asks to come back much later. `unusable`: everything else.
 */
export type RemoteErrorKind = 'busy' | 'denied' | 'not-found' | 'refused-address' | 'unusable';

export interface RemoteErrorFacts {
  readonly cause?: unknown;
  readonly retryAfterMs?: number;
}

/** Another registry did not do what was asked of it. The message may be shown. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly kind: RemoteErrorKind;

  /** When it asks to come back, where it is busy. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: RemoteErrorKind, message: string, { cause, retryAfterMs }: RemoteErrorFacts = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

export function fromOutbound(error: OutboundError): RemoteError {
  return new RemoteError(error.kind === 'refused-address' ? 'refused-address' : 'unusable', error.message, {
    cause: error,
  });
}

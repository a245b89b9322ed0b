import type { OutboundError } from '../outbound/index.ts';

/**
 * `not-found`: no such manifest or blob, or the registry does not tell. `denied`: it wants other credentials. `refused-address`: it
 * is where this server does not go. `busy`: it asks to come back much later. `unusable`: everything else.
 */
export type RemoteErrorKind = 'busy' | 'denied' | 'not-found' | 'refused-address' | 'unusable';

/** Another registry did not do what was asked of it. The message may be shown. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly kind: RemoteErrorKind;

  constructor(kind: RemoteErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.kind = kind;
  }
}

export function fromOutbound(error: OutboundError): RemoteError {
  return new RemoteError(error.kind === 'refused-address' ? 'refused-address' : 'unusable', error.message, error);
}

export type ServerErrorKind =
  /** No answer, or one that says "later": the same request may do well in a while. */
  | 'away'
  /** The key is not known, or may not do this. */
  | 'unauthorized'
  /** The run is not held by this agent any more. */
  | 'lease-lost'
  /** The server understood, and said no. */
  | 'refused';

/** A server that did not do what it was asked to. The message is the server's own, or says why there is none. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly kind: ServerErrorKind;

  constructor(kind: ServerErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export function kindOfStatus(status: number): ServerErrorKind {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 409) return 'lease-lost';
  // A proxy in front of a server that starts says 404 or 5xx in its own words; those are judged by their body.
  return status >= 500 || status === 408 || status === 429 ? 'away' : 'refused';
}

/**
 * `refused-address`: not public, and not allowed by the operator. `invalid-request`: the address or a header cannot be sent.
 * `unreachable`: no connection, or no such name. `broken`: the connection ended early, or did not speak HTTP. `redirect`: too
 * many, or one that must not be followed. `too-large`: more headers or bytes than the caller takes. `content`: not the JSON that was asked for.
 */
export type OutboundErrorKind =
  | 'broken'
  | 'content'
  | 'invalid-request'
  | 'redirect'
  | 'refused-address'
  | 'timeout'
  | 'tls'
  | 'too-large'
  | 'unreachable';

/** A request that came to nothing. The message may be shown: it holds host names, and nothing secret. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly kind: OutboundErrorKind;

  constructor(kind: OutboundErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.kind = kind;
  }
}

const tlsCodes =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses connections',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to its network',
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'its name could not be looked up just now',
  ETIMEDOUT: 'it does not answer',
};

/** What failed, in words that may be shown. */
export function asOutboundError(error: unknown, host: string): OutboundError {
  if (error instanceof OutboundError) return error;
  const code = codeOf(error);
  if (code === 'HPE_HEADER_OVERFLOW')
    return new OutboundError('too-large', `${host} answers with headers that are too long`, error);
  if (code.startsWith('HPE_')) return new OutboundError('broken', `${host} does not answer in HTTP`, error);
  if (tlsCodes.test(code)) return new OutboundError('tls', `no trusted TLS connection with ${host} (${code})`, error);
  const reason = reasons[code];
  if (reason !== undefined) return new OutboundError('unreachable', `${host} cannot be reached: ${reason}`, error);
  return new OutboundError('broken', `the connection to ${host} broke off${code === '' ? '' : ` (${code})`}`, error);
}

/** Of several attempts on one name, the first counts. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** What Azure Storage calls it, and with which status. */
type BlobError =
  | 'AuthenticationFailed'
  | 'BlobNotFound'
  | 'InvalidBlockId'
  | 'InvalidBlockList'
  | 'InvalidHeaderValue'
  | 'InvalidQueryParameterValue'
  | 'InvalidRange'
  | 'InvalidXmlDocument'
  | 'MissingContentLengthHeader'
  | 'RequestBodyTooLarge'
  | 'UnauthorizedBlobOverwrite';

const statuses: Readonly<Record<BlobError, number>> = {
  AuthenticationFailed: 403,
  BlobNotFound: 404,
  InvalidBlockId: 400,
  InvalidBlockList: 400,
  InvalidHeaderValue: 400,
  InvalidQueryParameterValue: 400,
  InvalidRange: 416,
  InvalidXmlDocument: 400,
  MissingContentLengthHeader: 411,
  RequestBodyTooLarge: 413,
  UnauthorizedBlobOverwrite: 403,
};

/** A refusal in the words of Azure Storage, whose clients look for its code. */
export class BlobRefusal extends Error {
  override readonly name = 'BlobRefusal';
  readonly code: BlobError;

  constructor(code: BlobError, message: string) {
    super(message);
    this.code = code;
  }
}

export function statusOf({ code }: BlobRefusal): number {
  return statuses[code];
}

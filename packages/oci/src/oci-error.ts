/** What is wrong with a text or document, by the codes of the OCI distribution specification. */
export type OciErrorCode = 'NAME_INVALID' | 'TAG_INVALID' | 'DIGEST_INVALID' | 'MANIFEST_INVALID';

/** A name, digest or manifest that does not follow the specifications. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly code: OciErrorCode;
  readonly detail: unknown;

  constructor(code: OciErrorCode, message: string, detail?: unknown) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}

const shownCharacters = 80;

/** A client's text as it may stand in a message: bounded, without control characters. */
export function quoted(text: string): string {
  const shown = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
  return JSON.stringify(shown);
}

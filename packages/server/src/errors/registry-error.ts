import { type ErrorName, catalogueRow } from './catalogue.ts';

export interface RegistryErrorOptions {
  /** Replaces the catalogue's message: say what was wrong and where. */
  readonly message?: string;
  /** Machine-readable detail of the OCI envelope. Never holds secrets. */
  readonly detail?: unknown;
  /** What the resource manager's envelope calls the field that was wrong. */
  readonly target?: string;
  /** Extra response headers, such as `Retry-After` or `Range`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An expected outcome that is not success. Anything else that is thrown is a bug and becomes a 500. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly error: ErrorName;
  readonly detail: unknown;
  readonly target: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(error: ErrorName, options: RegistryErrorOptions = {}) {
    super(options.message ?? catalogueRow(error).message, options.cause === undefined ? {} : { cause: options.cause });
    this.error = error;
    this.detail = options.detail;
    this.target = options.target;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return catalogueRow(this.error).status;
  }
}

import type { TObject, TSchema } from 'typebox';
import type { Permission } from './permission.ts';

/**
 * One operation of the contract: routing, validation, documentation, permission tests and clients come from it.
 */
export interface Operation {
  /** Unique, verb first, kebab-case: `get-manifest`. */
  readonly id: string;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Path with parameters in braces. `{name}` is a repository name and may hold slashes. */
  readonly path: string;
  /** One sentence for the reference. */
  readonly summary: string;
  /** The rule it implements: `end-3` of the OCI distribution specification, or an ACR route. */
  readonly source: string;
  readonly permission: Permission;
  /** Schema of the path parameters other than `name`; informative for strings that handlers parse themselves. */
  readonly params?: TObject;
  readonly query?: TObject;
  /** `stream`: handed on as it arrives. A schema: JSON of at most 64 KiB, validated. `form`: url-encoded, at most 64 KiB. Absent: none expected. */
  readonly body?: 'stream' | 'form' | TSchema;
  /** Instead of the 64 KiB that JSON may have. */
  readonly maxBodyBytes?: number;
  /** Success answers by status: what they mean and, for JSON, their schema. */
  readonly responses: Readonly<Record<number, OperationResponse>>;
  /** Names of rows of the error catalogue that a client should expect, beside the general ones. */
  readonly errors: readonly string[];
}

export interface OperationResponse {
  readonly description: string;
  readonly schema?: TSchema;
  /** Response headers that clients rely on. */
  readonly headers?: readonly string[];
}

/** Checks the literal's shape and keeps its exact type. */
export function defineOperation<const T extends Operation>(operation: T): T {
  return operation;
}

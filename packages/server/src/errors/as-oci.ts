import { OciError } from '@berth/oci';
import { catalogueRow } from './catalogue.ts';
import type { ErrorAnswer } from './error-answer.ts';
import { RegistryError } from './registry-error.ts';

/** Anything that was thrown, as a catalogued error. What is not expected is a bug: its text stays inside. */
export function asRegistryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  if (error instanceof OciError)
    return new RegistryError(error.code, { message: error.message, detail: error.detail, cause: error });
  return new RegistryError('INTERNAL', { cause: error });
}

/** An error as the OCI distribution specification puts it ("Error Codes"). */
export function renderAsOci(error: RegistryError, requestId: string): ErrorAnswer {
  const row = catalogueRow(error.error);
  const message = row.hint === undefined ? error.message : `${error.message}; ${row.hint}`;
  const detail = error.detail ?? (error.error === 'INTERNAL' ? { requestId } : undefined);
  const body = { errors: [{ code: row.code ?? error.error, message, ...(detail !== undefined && { detail }) }] };
  return { status: row.status, headers: error.headers, body: JSON.stringify(body) };
}

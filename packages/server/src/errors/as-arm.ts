import { catalogueRow } from './catalogue.ts';
import type { ErrorAnswer } from './error-answer.ts';
import type { RegistryError } from './registry-error.ts';

/** An error as the resource manager puts it (acr-api 3.1). */
export function renderAsArm(error: RegistryError, requestId: string): ErrorAnswer {
  const row = catalogueRow(error.error);
  const message = row.hint === undefined ? error.message : `${error.message}; ${row.hint}`;
  const additionalInfo = error.error === 'INTERNAL' ? [{ type: 'RequestId', info: { requestId } }] : undefined;
  const code = row.arm ?? pascalCase(error.error);
  const { target } = error;
  const body = { error: { code, message, ...(target !== undefined && { target }), ...(additionalInfo && { additionalInfo }) } };
  return { status: row.status, headers: error.headers, body: JSON.stringify(body) };
}

function pascalCase(name: string): string {
  return name
    .split('_')
    .map((word) => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`)
    .join('');
}

import { RegistryError } from '../errors/index.ts';
import type { Place } from './walk.ts';

/** Where a sweep over several requests goes on, and up to when its ages count. */
export interface Cursor {
  readonly asOf: number;
  readonly place: Place;
}

export function writeCursor({ asOf, place: { repository, phase, after } }: Cursor): string {
  return Buffer.from(JSON.stringify([asOf, repository, phase, after?.at, after?.name])).toString('base64url');
}

const maxLength = 2048;

/** @throws INVALID_PARAMETER */
export function readCursor(text: string, now: number): Cursor {
  const parts: unknown = text.length > maxLength ? undefined : parsed(text);
  if (Array.isArray(parts)) {
    const [asOf, repository, phase, at, name] = parts as unknown[];
    const after = isTime(at) && isName(name) ? { at, name } : undefined;
    // In the future everything would be old enough.
    const isPlace =
      isTime(asOf) && asOf <= now && isName(repository) && (phase === 'tags' || phase === 'manifests' || phase === 'done');
    if (isPlace) return { asOf, place: { repository, phase, after } };
  }
  throw new RegistryError('INVALID_PARAMETER', {
    message: 'the cursor is none that an answer gave: leave it out to begin anew',
    target: 'cursor',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** PostgreSQL takes no text with a NUL. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}

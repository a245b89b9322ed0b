import { RegistryError } from '../errors/index.ts';

/** What a list request asks for. */
export interface Page {
  /** Entries at the most; 0 is a legal question. */
  readonly limit: number;
  /** The page begins after this entry. */
  readonly last: string | undefined;
}

/** More than any client asks for; larger numbers are cut to it, so that memory stays flat (attack 1, CVE-2023-2253). */
export const maxPageSize = 1000;

/** Longest cursor: longer than every name, tag and digest. */
const maxCursorLength = 512;

/** `pageSize`: what a page holds when the client does not say, and at the most. @throws PAGINATION_NUMBER_INVALID */
export function parsePage(query: URLSearchParams, pageSize = maxPageSize): Page {
  const last = query.get('last') ?? undefined;
  if (last !== undefined && last.length > maxCursorLength) {
    throw new RegistryError('PAGINATION_NUMBER_INVALID', {
      message: `"last" has ${last.length} characters; no entry is so long`,
    });
  }
  // PostgreSQL takes no text with a NUL.
  if (last?.includes('\0') === true)
    throw new RegistryError('PAGINATION_NUMBER_INVALID', { message: '"last" holds a NUL byte; no entry does' });
  return { limit: Math.min(pageSize, parseLimit(query.get('n'))), last: last === '' ? undefined : last };
}

function parseLimit(text: string | null): number {
  if (text === null || text === '') return maxPageSize;
  if (!/^\d{1,15}$/.test(text))
    throw new RegistryError('PAGINATION_NUMBER_INVALID', {
      message: '"n" must be a whole number, 0 or more',
      detail: { n: text.slice(0, 40) },
    });
  return Math.min(Number(text), maxPageSize);
}

/** The `Link` header of a page that is not the last one; relative, every pair `key=value` (az follows only those). */
export function nextLink(
  path: string,
  page: Page,
  lastShown: string,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const query = new URLSearchParams({ last: lastShown, n: String(page.limit), ...extra });
  return { Link: `<${path}?${query}>; rel="next"` };
}

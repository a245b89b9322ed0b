import { RegistryError } from '../../errors/index.ts';
import type { Cursor, Order } from './queries.ts';

/** ACR's `orderby` (acr-api 1.7). @throws REQUEST_INVALID */
export function parseOrder(query: URLSearchParams): Order {
  const text = query.get('orderby') ?? '';
  if (text === '' || text === 'none') return 'lexical';
  if (text === 'timedesc' || text === 'timeasc') return text;
  throw new RegistryError('REQUEST_INVALID', { message: '"orderby" must be timedesc, timeasc or none' });
}

/** In our links by time `last` is the entry's time and name: a tag or digest holds no colon behind digits alone. */
const timedPattern = /^(\d{1,15}):(.+)$/;

/** `last` for the page behind an entry. */
export function cursorText({ name, updated_at }: { readonly name: string; readonly updated_at: number }, order: Order): string {
  return order === 'lexical' ? name : `${updated_at}:${name}`;
}

/**
 * Where a page begins. The time stands in `last` itself, since acr-cli takes nothing else from a link, and asks on after tags
 * that it has deleted meanwhile. A client that made up `last` gets the time that the entry has now.
 * @throws PAGINATION_NUMBER_INVALID
 */
export async function parseCursor(
  last: string | undefined,
  order: Order,
  timeOf: (name: string) => Promise<number | undefined>,
): Promise<Cursor | undefined> {
  if (last === undefined) return undefined;
  if (order === 'lexical') return { name: last, at: 0 };
  const [, time, timedName] = timedPattern.exec(last) ?? [];
  if (timedName !== undefined) return { name: timedName, at: Number(time) };
  const at = await timeOf(last);
  if (at !== undefined) return { name: last, at };
  throw new RegistryError('PAGINATION_NUMBER_INVALID', {
    message: '"last" names nothing that is in the list; follow the Link header',
  });
}

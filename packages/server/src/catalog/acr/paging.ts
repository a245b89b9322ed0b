import { RegistryError } from '../../errors/index.ts';
import type { Cursor, Order } from './queries.ts';

/** ACR's `orderby` (acr-api 1.7). @throws REQUEST_INVALID */
export function parseOrder(query: URLSearchParams): Order {
  const text = query.get('orderby') ?? '';
  if (text === '' || text === 'none') return 'lexical';
  if (text === 'timedesc' || text === 'timeasc') return text;
  throw new RegistryError('REQUEST_INVALID', { message: '"orderby" must be timedesc, timeasc or none' });
}

/**
 * Where a page begins. Our links carry the time of the entry that `last` names; a client that made up `last` itself gets
 * the time that the entry has now. @throws PAGINATION_NUMBER_INVALID
 */
export async function parseCursor(
  query: URLSearchParams,
  last: string | undefined,
  order: Order,
  timeOf: (name: string) => Promise<number | undefined>,
): Promise<Cursor | undefined> {
  if (last === undefined) return undefined;
  const text = query.get('at') ?? '';
  if (/^\d{1,15}$/.test(text)) return { name: last, at: Number(text) };
  if (order === 'lexical') return { name: last, at: 0 };
  const at = await timeOf(last);
  if (at !== undefined) return { name: last, at };
  throw new RegistryError('PAGINATION_NUMBER_INVALID', {
    message: '"last" names nothing that is in the list; follow the Link header',
  });
}

import type { TSchema } from 'typebox';
import { readJson } from '../http/read-body.ts';
import type { RouteRequest } from '../http/route.ts';
import { Fields } from '../resources/index.ts';

/** The JSON body of a request, to be read member by member. @throws REQUEST_INVALID when it is no JSON object */
export async function readDocument(request: RouteRequest, schema: TSchema): Promise<Fields> {
  return new Fields(await readJson(request, schema), '');
}

/** Resource tags by Azure's bounds. */
export function readTags(body: Fields): Readonly<Record<string, string>> | undefined {
  return body.textMap('tags', { maxEntries: 50, maxValue: 256 });
}

import type { Operation } from '@berth/api';
import { type AcrOperation, plainRoute } from './entry.ts';

/** What keeps a list of ACR's operations from being true of a contract, in sentences. Empty when it is. */
export function acrProblems(listed: readonly AcrOperation[], contract: readonly Operation[]): readonly string[] {
  const byId = new Map(contract.map((each) => [each.id, each]));
  const routes = new Map(contract.map((each) => [plainRoute(`${each.method} ${each.path}`), each]));
  const named = new Set(listed.map(({ by }) => by));
  const twice = listed.filter(
    ({ operation }, index) => listed.findIndex((other) => plainRoute(other.operation) === plainRoute(operation)) !== index,
  );
  return [
    ...listed.flatMap((each) => problemsOf(each, byId, routes)),
    ...twice.map(({ operation }) => `${operation} is listed twice`),
    ...contract.filter(({ id }) => !named.has(id)).map(({ id }) => `the contract's operation ${id} is not listed`),
  ];
}

function problemsOf(
  { operation, by }: AcrOperation,
  byId: ReadonlyMap<string, Operation>,
  routes: ReadonlyMap<string, Operation>,
): readonly string[] {
  const route = plainRoute(operation);
  if (by === undefined) {
    const answering = routes.get(route);
    return answering === undefined ? [] : [`${operation} is listed as missing, but ${answering.id} answers it`];
  }
  const named = byId.get(by);
  if (named === undefined) return [`${operation} names ${by}, which the contract does not have`];
  return routes.get(route) === named ? [] : [`${operation} names ${by}, which is ${named.method} ${named.path}`];
}

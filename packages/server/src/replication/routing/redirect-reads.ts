import type { Operation } from '@berth/api';
import type { Principal, Registry } from '../../tenancy/index.ts';
import { type RegionNetwork, nearestRegion } from './nearest-region.ts';
import type { RoutedRegions } from './routed-regions.ts';

/** What of a request decides where it goes. */
export interface ReadToRoute {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly registry: Registry;
  readonly principal: Principal;
  readonly clientAddress: string;
  /** `scheme://host[:port]` as the client sees this server. */
  readonly origin: string;
}

export interface RedirectOptions {
  readonly region: string;
  readonly networks: readonly RegionNetwork[];
  readonly routed: RoutedRegions;
}

/** What images are pulled with. Writes are served where they arrive: a body that is on its way cannot be sent elsewhere. */
const routedOperations: ReadonlySet<string> = new Set([
  'get-manifest',
  'head-manifest',
  'get-blob',
  'head-blob',
  'list-tags',
  'list-referrers',
]);

/**
 * Where a read should go that was asked of the name that all regions share: to the same path at `REGION.` before that name. Clients
 * written in Go take their credentials along to a name below the one that they asked, and to no other. Undefined: it is served here.
 */
export async function redirectOf(
  operation: Operation,
  read: ReadToRoute,
  { region, networks, routed }: RedirectOptions,
): Promise<string | undefined> {
  const { registry, principal, clientAddress } = read;
  if (registry.isReplicated !== true || principal.kind === 'region' || !routedOperations.has(operation.id)) return undefined;
  const healthy = await routed.healthy(registry);
  const origin = new URL(read.origin);
  // Whoever asks for a region by its name gets that one.
  const [label = ''] = origin.hostname.split('.', 1);
  if (label === region.toLowerCase() || healthy.has(label)) return undefined;
  const nearest = nearestRegion({ networks, clientAddress, here: region.toLowerCase(), home: routed.home(registry), healthy });
  if (nearest === undefined || nearest === region.toLowerCase()) return undefined;
  const search = read.query.size === 0 ? '' : `?${read.query}`;
  return `${origin.protocol}//${nearest}.${origin.host}${pathOf(operation, read)}${search}`;
}

function pathOf({ path }: Operation, { params }: ReadToRoute): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '');
}

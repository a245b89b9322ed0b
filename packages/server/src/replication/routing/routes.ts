import { health } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import type { Route } from '../../http/route.ts';
import type { RoutedRegions } from './routed-regions.ts';

/** What name servers and balancers ask a region before they send clients there. */
export function routingRoutes({ region, routed }: { readonly region: string; readonly routed: RoutedRegions }): readonly Route[] {
  return [
    {
      operation: health.getRouting,
      handle: async ({ registry }) => {
        if (registry.isReplicated === true && !(await routed.healthy(registry)).has(region.toLowerCase()))
          throw new RegistryError('UNAVAILABLE', {
            message: `clients are not to be sent to ${region}: its endpoint is switched off`,
          });
        return { status: 200, body: { json: { status: 'routed' } } };
      },
    },
  ];
}

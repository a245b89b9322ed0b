import { RegistryError } from '../../errors/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { Peers } from '../peers/model.ts';

/** Whatever writes settings or runs tasks does so in the home region of a registry. @throws HOME_REGION_ONLY with where that is */
export function requireHome(peers: Pick<Peers, 'byName'>, { name, homeRegion }: Pick<Registry, 'name' | 'homeRegion'>): void {
  if (homeRegion === undefined) return;
  const address = peers.byName(homeRegion)?.address;
  throw new RegistryError('HOME_REGION_ONLY', {
    message: `the settings of the registry ${name} are written in its home region, ${homeRegion}${address === undefined ? '' : ` (${address})`}; its tasks run there, too`,
  });
}

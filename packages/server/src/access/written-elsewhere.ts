import { RegistryError } from '../errors/index.ts';
import type { ReadQueries } from '../platform/database/index.ts';

/**
 * What came with the settings of a replica is written in the registry's home region: here it would be replaced when those change
 * the next time. @throws HOME_REGION_ONLY
 */
export async function requireMadeHere(
  read: ReadQueries,
  { kind, subject }: { readonly kind: 'identity' | 'issuer'; readonly subject: string },
): Promise<void> {
  // PostgreSQL takes no text with a NUL.
  if (subject.includes('\0')) return;
  const replica = await read
    .selectFrom('home_directory')
    .innerJoin('registries', 'registries.id', 'home_directory.registry_id')
    .select(['name', 'home_region'])
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .limit(1)
    .executeTakeFirst();
  if (replica === undefined) return;
  const what = kind === 'identity' ? 'this identity' : 'the trust in this issuer';
  throw new RegistryError('HOME_REGION_ONLY', {
    message: `${what} came with the settings of the registry ${replica.name} from ${replica.home_region ?? 'another region'}; change it there`,
  });
}

/** Roles at a replica are those of its home region. `scope`: an id of the resource manager, in lower case. @throws HOME_REGION_ONLY */
export async function requireScopeHere(read: ReadQueries, scope: string): Promise<void> {
  const name = /\/providers\/microsoft\.containerregistry\/registries\/([^/]+)/.exec(scope)?.[1];
  if (name === undefined) return;
  const registry = await read
    .selectFrom('registries')
    .select('home_region')
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (registry === undefined || registry.home_region === null) return;
  throw new RegistryError('HOME_REGION_ONLY', {
    message: `roles at the registry ${name} are written in its home region, ${registry.home_region}`,
  });
}

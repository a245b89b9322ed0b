import { parseRepositoryName } from '@berth/oci';
import { RegistryError } from '../../errors/index.ts';
import type { ReadQueries } from '../../platform/database/index.ts';
import { invalid } from './model.ts';
import { findRegistryPlace, findSubscription } from './queries.ts';

/**
 * The resource id that a scope of a role means, in lower case: `deployment`, `registry:NAME`, `registry:NAME/repository`,
 * or such an id itself. @throws INVALID_PARAMETER
 */
export async function resolveScope(db: ReadQueries, text: string): Promise<string> {
  const subscription = `/subscriptions/${await findSubscription(db)}`.toLowerCase();
  if (text === 'deployment') return subscription;
  const match = /^registry:([^/]+)(?:\/(.+))?$/.exec(text);
  if (match !== null) return scopeOfRegistry(db, subscription, { name: match[1] ?? '', repository: match[2] });
  const id = text.toLowerCase().replace(/\/$/, '');
  const isOurs = id === subscription || id.startsWith(`${subscription}/`);
  if (!isOurs || !/^(?:\/[a-z0-9][a-z0-9._-]*)+$/.test(id))
    throw invalid(
      `a scope is deployment, registry:NAME, registry:NAME/repository, or the id of a resource below ${subscription}`,
      'scope',
    );
  return id;
}

async function scopeOfRegistry(
  db: ReadQueries,
  subscription: string,
  { name, repository }: { readonly name: string; readonly repository: string | undefined },
): Promise<string> {
  const place = await findRegistryPlace(db, name);
  if (place === undefined) throw invalid(`there is no registry "${name.slice(0, 64)}"`, 'scope');
  const registry = `${subscription}/resourcegroups/${place.resourceGroup}/providers/microsoft.containerregistry/registries/${place.name}`;
  if (repository === undefined) return registry.toLowerCase();
  return `${registry.toLowerCase()}/repositories/${repositoryOf(repository)}`;
}

function repositoryOf(text: string): string {
  try {
    return parseRepositoryName(text);
  } catch {
    throw new RegistryError('INVALID_PARAMETER', {
      message: 'what follows the registry in a scope is the whole name of one repository; for several, give the role a condition',
      target: 'scope',
    });
  }
}

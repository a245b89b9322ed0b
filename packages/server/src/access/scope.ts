import type { Need, RepositoryAction } from '@berth/api';
import { parseRepositoryName } from '@berth/oci';

/** One entry of a token's `access`, as docker's and ACR's tokens have it. */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export const repositoryActions: readonly RepositoryAction[] = [
  'pull',
  'push',
  'delete',
  'metadata_read',
  'metadata_write',
  'deleted_read',
  'deleted_restore',
  'quarantine_read',
  'quarantine_write',
];

/** A client asks for a handful of scopes; a stranger could ask for a megabyte. */
const maxScopes = 100;
const maxScopeLength = 1024;

/**
 * Reads scopes, repeated or several in one text (acr-api 2.3). What cannot be understood asks for nothing and is left
 * out: a token request never fails for its scopes. Each resource comes once, with all its actions.
 */
export function parseScopes(texts: readonly string[]): Access[] {
  const found = new Map<string, Access>();
  let left = maxScopes;
  for (const text of texts) {
    for (const scope of text.split(' ', left + 1)) {
      if (scope === '') continue;
      if (left === 0) return [...found.values()];
      left -= 1;
      const access = scope.length > maxScopeLength ? undefined : parseScope(scope);
      if (access === undefined) continue;
      const key = `${access.type}:${access.name}`;
      const actions = new Set([...(found.get(key)?.actions ?? []), ...access.actions]);
      found.set(key, { ...access, actions: [...actions] });
    }
  }
  return [...found.values()];
}

/** `type:name:actions`. Docker's grammar lets a host with its port begin a name; no repository of ours has one. */
function parseScope(scope: string): Access | undefined {
  const first = scope.indexOf(':');
  const last = scope.lastIndexOf(':');
  if (first === -1 || first === last) return undefined;
  const type = scope.slice(0, first);
  const name = scope.slice(first + 1, last);
  const actions = scope.slice(last + 1).split(',');
  if (type === 'registry') return isCatalog(name) && actions.includes('*') ? { type, name, actions: ['*'] } : undefined;
  if (!repositoryTypes.includes(type) || !isRepository(name)) return undefined;
  const known = ['*', ...repositoryActions].filter((action) => actions.includes(action));
  return known.length === 0 ? undefined : { type: 'repository', name, actions: known };
}

function isCatalog(name: string): boolean {
  return name === 'catalog' || name === 'deleted_catalog';
}

/** Docker asks by the second name when it pushes a plugin. */
const repositoryTypes: readonly string[] = ['repository', 'repository(plugin)'];

function isRepository(name: string): boolean {
  if (name === '*') return true;
  try {
    parseRepositoryName(name);
    return true;
  } catch {
    return false;
  }
}

/** Whether a token's access covers a need. Names are compared whole (attack 13). */
export function covers(access: readonly Access[], need: Need): boolean {
  switch (need.type) {
    case 'operator':
    case 'deployment':
    case 'agent':
    case 'region':
    case 'resource':
      return false;
    case 'registry':
      return access.some((each) => each.type === 'registry' && each.name === need.name && each.actions.includes('*'));
    case 'repository':
      return access.some(
        (each) =>
          each.type === 'repository' &&
          (each.name === need.name || each.name === '*') &&
          (each.actions.includes(need.action) || each.actions.includes('*')),
      );
  }
}

/** Needs as the `scope` of a challenge: one text, each repository once. */
export function scopeText(needs: readonly Need[]): string | undefined {
  const actions = new Map<string, Set<string>>();
  for (const need of needs) {
    if (need.type !== 'repository' && need.type !== 'registry') continue;
    const resource = `${need.type}:${need.name}`;
    const known = actions.get(resource) ?? new Set();
    actions.set(resource, known.add(need.action));
  }
  return actions.size === 0 ? undefined : [...actions].map(([resource, list]) => `${resource}:${[...list].join(',')}`).join(' ');
}

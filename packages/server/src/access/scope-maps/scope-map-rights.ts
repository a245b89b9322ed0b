import type { Need, RepositoryAction } from '@berth/api';
import type { Rights } from '../roles/rights.ts';
import type { ScopeMapAction, ScopeMapVerb } from './actions.ts';

/** What a scope map must allow for a need. Nothing that it can say reaches deleted or quarantined content. */
const verbOf: Readonly<Partial<Record<RepositoryAction, ScopeMapVerb>>> = {
  pull: 'content/read',
  push: 'content/write',
  delete: 'content/delete',
  metadata_read: 'metadata/read',
  metadata_write: 'metadata/write',
};

/** What a scope map grants in its registry: its actions, all together. */
export function rightsOfScopeMap(actions: readonly ScopeMapAction[]): Rights {
  const verbs = new Map<string, Set<ScopeMapVerb>>();
  for (const action of actions) {
    if (action.kind === 'gateway') continue;
    const known = verbs.get(action.repositories);
    if (known === undefined) verbs.set(action.repositories, new Set([action.verb]));
    else known.add(action.verb);
  }
  const everywhere = verbs.get('*') ?? new Set();
  // Observed of `_repositories_admin` alone; a map over all repositories reveals by it no name that it could not ask for.
  const seesCatalog = everywhere.has('content/read') && everywhere.has('metadata/read');
  return {
    permits: (need) => {
      if (need.type === 'registry') return need.name === 'catalog' && seesCatalog;
      return need.type === 'repository' && permitsIn(need);
    },
  };

  function permitsIn({ name, action }: Extract<Need, { readonly type: 'repository' }>): boolean {
    const verb = verbOf[action];
    if (verb === undefined) return false;
    if (everywhere.has(verb)) return true;
    return name.includes('*') ? false : rulesFor(name).some((rule) => verbs.get(rule)?.has(verb) === true);
  }
}

/** `team/a/b` is meant by `team/a/b`, `team/*` and `team/a/*`. */
function rulesFor(name: string): readonly string[] {
  const rules = [name];
  for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) rules.push(`${name.slice(0, slash)}/*`);
  return rules;
}

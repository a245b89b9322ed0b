import { RegistryError } from '../../errors/index.ts';
import { type Child, type ChildKind, childrenAfter } from '../../resources/index.ts';
import type { AccessContext } from '../access-context.ts';
import { parseScopeMapActions } from './actions.ts';
import { systemScopeMaps } from './system-scope-maps.ts';

interface ScopeMapProperties {
  readonly description: string;
  readonly actions: readonly string[];
}

/** Scope maps: what repository-scoped tokens may (acr-api 2.6). Five of the system are always there. */
export function scopeMapKind(context: AccessContext): ChildKind<ScopeMapProperties> {
  return {
    collection: 'scopeMaps',
    word: 'scope map',
    nameRule: { pattern: /^[A-Za-z0-9_-]{5,50}$/, words: '5 to 50 letters, digits, "-" and "_"' },
    isTracked: false,
    builtIn: systemScopeMaps.map(builtIn),
    create: (properties) => ({
      description: properties.text('description', 256) ?? '',
      actions: requireActions(properties.texts('actions', 10_000) ?? []),
    }),
    update: (before, properties) => {
      const actions = properties.texts('actions', 10_000);
      return {
        description: properties.text('description', 256) ?? before.description,
        actions: actions === undefined ? before.actions : requireActions(actions),
      };
    },
    show: ({ name, properties, createdAt }) => ({
      description: properties.description,
      type: isSystem(name) ? 'SystemDefined' : 'UserDefined',
      creationDate: new Date(createdAt).toISOString(),
      actions: properties.actions,
    }),
    requireDeletable: async (_child, { registry, name }) => {
      const user = await tokenThatUses(context, registry.id, name);
      if (user !== undefined)
        throw new RegistryError('CONFLICT', {
          message: `the scope map ${name} is used by the token ${user}; delete the token or give it another scope map first`,
        });
    },
    // Every token of the registry may have another scope map now.
    changed: () => context.accounts.forgetTokens(),
  };
}

/** As they were written, each once. @throws INVALID_PARAMETER naming the one that is wrong */
function requireActions(actions: readonly string[]): readonly string[] {
  parseScopeMapActions(actions);
  return [...new Set(actions)];
}

function builtIn({ name, description, actions }: (typeof systemScopeMaps)[number]): Child<ScopeMapProperties> {
  const never = { createdAt: 0, createdBy: '', updatedAt: 0, updatedBy: '' };
  return { name, location: null, tags: {}, properties: { description, actions }, ...never };
}

function isSystem(name: string): boolean {
  return systemScopeMaps.some((map) => map.name === name.toLowerCase());
}

/** Names one token. Looks at all: a scope map is deleted now and then, by a person. */
async function tokenThatUses({ database }: AccessContext, registryId: number, scopeMap: string): Promise<string | undefined> {
  const suffix = `/scopemaps/${scopeMap.toLowerCase()}`;
  for (let after = ''; ; ) {
    const page = await childrenAfter(database.read, { registryId, kind: 'tokens', after, limit: 500 });
    const user = page.find(({ properties }) =>
      String((properties as { scopeMapId?: unknown }).scopeMapId)
        .toLowerCase()
        .endsWith(suffix),
    );
    if (user !== undefined) return user.name;
    const last = page.at(-1);
    if (last === undefined) return undefined;
    after = last.name.toLowerCase();
  }
}

import { type ChildKind, type Fields, type KindScene, invalid } from '../../resources/index.ts';
import type { AccessContext } from '../access-context.ts';
import { tokenPasswordsOf } from '../account-queries.ts';
import { describePassword } from '../token-passwords.ts';
import { keepTokenPasswords } from '../token-transactions.ts';

interface TokenProperties {
  readonly scopeMapId: string;
  readonly status: 'enabled' | 'disabled';
}

const slots = ['password1', 'password2'] as const;

/** Repository-scoped tokens (acr-api 2.5). Their passwords are made by `generateCredentials` and never shown again. */
export function tokenKind(context: AccessContext): ChildKind<TokenProperties> {
  return {
    collection: 'tokens',
    word: 'token',
    nameRule: { pattern: /^[A-Za-z0-9-]{5,50}$/, words: '5 to 50 letters, digits and "-"' },
    isTracked: false,
    create: async (properties, scene) => {
      requireNoCertificates(properties);
      requireFreeName(scene);
      return {
        scopeMapId: await requireScopeMap(properties.requiredText('scopeMapId'), properties, scene),
        status: properties.oneOf('status', ['enabled', 'disabled']) ?? 'enabled',
      };
    },
    update: async (before, properties, scene) => {
      requireNoCertificates(properties);
      await keepNamedPasswords(context, properties, scene);
      const scopeMapId = properties.text('scopeMapId');
      return {
        scopeMapId: scopeMapId === undefined ? before.scopeMapId : await requireScopeMap(scopeMapId, properties, scene),
        status: properties.oneOf('status', ['enabled', 'disabled']) ?? before.status,
      };
    },
    show: async ({ name, properties, createdAt }, { registry }) => {
      const passwords = await tokenPasswordsOf(context.database.read, registry.id, name);
      return {
        scopeMapId: properties.scopeMapId,
        status: properties.status,
        creationDate: new Date(createdAt).toISOString(),
        credentials: { passwords: passwords.map(describePassword) },
      };
    },
    changed: ({ registry, name }) => context.accounts.forgetToken(registry, name),
  };
}

/** A token that is called like the admin user could never sign in, or in its place (attack 24). */
function requireFreeName({ registry, name }: KindScene): void {
  if (name.toLowerCase() === registry.name) throw invalid('name', `${name} is the name of the registry's admin user`);
}

async function requireScopeMap(id: string, properties: Fields, { registry, find }: KindScene): Promise<string> {
  const prefix = `${registry.resourceId}/scopeMaps/`;
  const name = id.slice(prefix.length);
  const isOurs = id.toLowerCase().startsWith(prefix.toLowerCase()) && !name.includes('/');
  const map = isOurs ? await find('scopeMaps', name) : undefined;
  if (map === undefined)
    throw invalid(properties.at('scopeMapId'), `must be the id of a scope map of this registry: ${prefix}NAME`);
  return `${prefix}${map.name}`;
}

function requireNoCertificates(properties: Fields): void {
  const certificates = properties.object('credentials').list('certificates', 2) ?? [];
  if (certificates.length > 0)
    throw invalid(
      'properties.credentials.certificates',
      'are not supported: use passwords, or sign in with the token of a trusted issuer',
    );
}

/** `az acr token credential delete` sends the passwords that stay (acr-api 7.7). */
async function keepNamedPasswords({ database }: AccessContext, properties: Fields, { registry, name }: KindScene): Promise<void> {
  const credentials = properties.object('credentials');
  const kept = credentials.objects('passwords', 2);
  if (kept === undefined) return;
  const named = kept.flatMap((each) => each.oneOf('name', slots) ?? []);
  await database.write(keepTokenPasswords, { registryId: registry.id, name, slots: named });
}

import type { Need } from '@berth/api';
import type { Principal, Registry } from '../tenancy/index.ts';
import { type Access, covers } from './scope.ts';

/** The admin user, signed in with a password: everything in its registry. */
export function adminPrincipal(username: string): Principal {
  return { kind: 'admin', id: `admin:${username}`, name: username, permits: () => true, couldPermit: () => true };
}

/** Nobody, for the resource manager. */
export const anonymousManager: Principal = {
  kind: 'anonymous',
  id: 'anonymous',
  name: 'anonymous',
  permits: () => false,
  couldPermit: () => false,
};

/** Nobody: pulls where the registry lets anybody pull, and nothing else. */
export function anonymousPrincipal(registry: Registry): Principal {
  const permits = (need: Need): boolean => mayAnybody(registry, need);
  return { kind: 'anonymous', id: 'anonymous', name: 'anonymous', permits, couldPermit: permits };
}

function mayAnybody(registry: Registry, need: Need): boolean {
  return registry.isAnonymousPullEnabled && need.type === 'repository' && need.action === 'pull';
}

/** The bearer of a token: what the token says and its owner may, both (attack 21). Never an operator. */
export function bearerPrincipal(owner: Principal, access: readonly Access[]): Principal {
  const { kind, id, name } = owner;
  return { kind, id, name, permits: (need) => covers(access, need) && owner.permits(need), couldPermit: owner.permits };
}

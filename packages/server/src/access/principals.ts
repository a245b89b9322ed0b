import type { Need } from '@berth/api';
import type { Principal, Registry } from '../tenancy/index.ts';
import type { Identity, ScopedToken } from './account-queries.ts';
import type { Assignment } from './roles/assignment.ts';
import { managementRightsOf } from './roles/management-rights.ts';
import { parseCondition } from './roles/parse-condition.ts';
import { type Rights, rightsOf } from './roles/rights.ts';
import { findRole } from './roles/role-definitions.ts';
import { parseScopeMapActions } from './scope-maps/actions.ts';
import { rightsOfScopeMap } from './scope-maps/scope-map-rights.ts';
import type { MachineKey } from './machines/queries.ts';
import { type Access, covers } from './scope.ts';
import type { SignedInIdentities } from './signed-in.ts';

/** What an identity may at the resource manager. */
export function managerRights(identity: Identity): Rights {
  const rights = managementRightsOf(assignmentsOf(identity));
  return { permits: (need) => need.type === 'resource' && rights.permits(need) };
}

/** What an identity may in one registry. */
export function registryRights(identity: Identity, registry: Registry): Rights {
  return rightsOf(assignmentsOf(identity), registry);
}

/** As the database has them; a role that this version does not know grants nothing. */
function assignmentsOf({ assignments }: Identity): readonly Assignment[] {
  return assignments.flatMap(({ scope, role_id, condition }) => {
    const role = findRole(role_id);
    if (role === undefined) return [];
    return [{ scope, role, ...(condition !== null && { condition: parseCondition(condition) }) }];
  });
}

/** The admin user, signed in with a password: everything in its registry, and with that of the default one the deployment. */
export function adminPrincipal(username: string, { isDefault }: Pick<Registry, 'isDefault'>): Principal {
  const permits = (need: Need): boolean =>
    need.type !== 'resource' && need.type !== 'agent' && need.type !== 'region' && (isDefault || need.type !== 'deployment');
  return { kind: 'admin', id: `admin:${username}`, name: username, permits, couldPermit: permits };
}

/** A repository-scoped token: what its scope map says. */
export function tokenPrincipal({ name, actions }: ScopedToken): Principal {
  const { permits } = rightsOfScopeMap(parseScopeMapActions(actions));
  return { kind: 'token', id: `token:${name.toLowerCase()}`, name, permits, couldPermit: permits };
}

/** What any of the identities may that somebody stands for. */
export function identityPrincipal({ username, identities }: SignedInIdentities, rights: readonly Rights[]): Principal {
  const [only] = rights;
  const permits = (need: Need): boolean =>
    rights.length === 1 ? only?.permits(need) === true : rights.some((each) => each.permits(need));
  return { kind: 'identity', id: `identity:${identities[0]?.id ?? ''}`, name: username, permits, couldPermit: permits };
}

/** An agent, which may ask for work and nothing else, or a run, which may what its credential says. */
export function machinePrincipal({ id, kind, name, access, agentPool, isShared }: MachineKey): Principal {
  if (kind === 'agent') {
    const permits = (need: Need): boolean => need.type === 'agent';
    return { kind, id: `agent:${id}`, name, agent: { keyId: id, agentPool, isShared }, permits, couldPermit: permits };
  }
  const permits = (need: Need): boolean => covers(access, need);
  return { kind, id: `run:${name}`, name: `run ${name}`, permits, couldPermit: permits };
}

/** Nobody, for the resource manager. */
export const anonymousManager: Principal = {
  kind: 'anonymous',
  id: 'anonymous',
  name: 'anonymous',
  permits: () => false,
  couldPermit: () => false,
};

/** Nobody: pulls and looks where the registry lets anybody pull, and nothing else. */
export function anonymousPrincipal(registry: Registry): Principal {
  const permits = (need: Need): boolean => mayAnybody(registry, need);
  return { kind: 'anonymous', id: 'anonymous', name: 'anonymous', permits, couldPermit: permits };
}

function mayAnybody(registry: Registry, need: Need): boolean {
  if (!registry.isAnonymousPullEnabled || need.type !== 'repository') return false;
  // The SDKs list tags and manifests without credentials, too.
  return need.action === 'pull' || need.action === 'metadata_read';
}

/** The bearer of a token: what the token says and its owner may, both (attack 21). Never an operator. */
export function bearerPrincipal(owner: Principal, access: readonly Access[]): Principal {
  const { kind, id, name } = owner;
  return { kind, id, name, permits: (need) => covers(access, need) && owner.permits(need), couldPermit: owner.permits };
}

import type { Need, Operation } from '@berth/api';
import { parseRepositoryName } from '@berth/oci';
import type { Principal, Registry } from '../tenancy/index.ts';

const nothing: readonly Need[] = [];
const catalog: readonly Need[] = [{ type: 'registry', name: 'catalog', action: '*' }];
const deletedCatalog: readonly Need[] = [{ type: 'registry', name: 'deleted_catalog', action: '*' }];
const operator: readonly Need[] = [{ type: 'operator' }];
const deployment: readonly Need[] = [{ type: 'deployment' }];
const agent: readonly Need[] = [{ type: 'agent' }];
const region: readonly Need[] = [{ type: 'region' }];

/** What a request needs by its operation's declaration. `params`: of its path; `name` is a repository. */
export function needsOf({ permission, path }: Operation, params: Readonly<Record<string, string>>): readonly Need[] {
  switch (permission.kind) {
    case 'public':
    case 'authenticated':
    case 'management':
      return nothing;
    case 'catalog':
      return catalog;
    case 'deleted-catalog':
      return deletedCatalog;
    case 'repository':
      return permission.actions.map((action) => ({ type: 'repository', name: params['name'] ?? '', action }));
    case 'operator':
      return operator;
    case 'deployment':
      return deployment;
    case 'agent':
      return agent;
    case 'region':
      return region;
    case 'resource':
      return [{ type: 'resource', action: permission.action, scope: scopeOf(path, params) }];
  }
}

/** What lets a request in, too, when it lacks what it needs. */
export function insteadNeeds({ permission }: Operation, params: Readonly<Record<string, string>>): readonly Need[] {
  if (permission.kind !== 'repository' || permission.instead === undefined) return nothing;
  return [{ type: 'repository', name: params['name'] ?? '', action: permission.instead }];
}

/** The resource that a path names, in lower case: the path up to its last parameter. */
function scopeOf(path: string, params: Readonly<Record<string, string>>): string {
  const resource = path.slice(0, path.lastIndexOf('}') + 1);
  return resource.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '').toLowerCase();
}

/** Whether the resource manager serves it: other principals, another envelope for errors. */
export function isManagement({ permission: { kind } }: Operation): boolean {
  return kind === 'management' || kind === 'resource';
}

/**
 * What a mount asks for beyond its operation's needs: to read its source. Clients send the scope of a challenge on as it
 * is, so that it must name both repositories (conformance).
 */
export function mountNeeds(operation: Operation, query: URLSearchParams): readonly Need[] {
  const from = operation.id === 'start-upload' && query.has('mount') ? query.get('from') : null;
  if (from === null) return nothing;
  try {
    return [{ type: 'repository', name: parseRepositoryName(from), action: 'pull' }];
  } catch {
    return nothing;
  }
}

export type Decision =
  | 'permitted'
  /** Sign in, or get a token that says more. */
  | 'unauthorized'
  /** Signing in again would not help. */
  | 'denied';

export interface Question {
  readonly operation: Operation;
  readonly needs: readonly Need[];
  /** Of `insteadNeeds`. */
  readonly insteadNeeds: readonly Need[];
  /** Of `mountNeeds`: without them the request is served as a plain upload. */
  readonly sourceNeeds: readonly Need[];
  readonly principal: Principal;
  readonly registry: Registry;
  /** The scheme of the `Authorization` header. */
  readonly scheme: 'basic' | 'bearer' | undefined;
}

/** The one decision about a request (attack 21: the same for Basic and Bearer, apart from what a token leaves out). */
export function decide({ operation, needs, insteadNeeds: others, sourceNeeds, principal, registry, scheme }: Question): Decision {
  const { permission } = operation;
  if (permission.kind === 'public') return 'permitted';
  if (permission.kind === 'management') return principal.kind === 'anonymous' ? 'unauthorized' : 'permitted';
  if (permission.kind === 'authenticated') {
    // Without credentials it is 401 even where anybody may pull: docker and az learn from that where tokens are made.
    const isSignedIn = principal.kind !== 'anonymous' || (scheme !== undefined && registry.isAnonymousPullEnabled);
    return isSignedIn ? 'permitted' : 'unauthorized';
  }
  if (needs.every((need) => principal.permits(need)) || others.some((need) => principal.permits(need))) {
    // A client that cached a token for the target alone gets the blob for nothing if it asks for one that covers the source, too.
    const isWorthAsking = sourceNeeds.some((need) => !principal.permits(need) && principal.couldPermit(need));
    return isWorthAsking ? 'unauthorized' : 'permitted';
  }
  if (principal.kind === 'anonymous') return 'unauthorized';
  // No token scope grants the operator's rights, so a challenge would send the client in circles.
  const canGetMore = !['operator', 'deployment', 'agent', 'region', 'resource'].includes(permission.kind);
  return scheme === 'bearer' && canGetMore ? 'unauthorized' : 'denied';
}

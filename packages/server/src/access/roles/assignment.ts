import type { Condition } from './condition.ts';
import type { RoleDefinition } from './role-definition.ts';

/** A role that somebody has somewhere. */
export interface Assignment {
  /** The id of a subscription, group or registry, or `<registry>/repositories/<name>`; in lower case. */
  readonly scope: string;
  readonly role: RoleDefinition;
  readonly condition?: Condition | undefined;
}

/**
 * Whether an assignment reaches a resource: at the very resource, or at one above it. The repository `team` is not above
 * `team/a`: names of repositories are compared whole (attack 13).
 */
export function appliesTo({ scope }: Assignment, resource: string): boolean {
  if (scope === '' || scope.endsWith('/')) return false;
  return scope === resource || (resource.startsWith(`${scope}/`) && !repository.test(scope));
}

const repository = /\/registries\/[^/]+\/repositories(?:\/|$)/;

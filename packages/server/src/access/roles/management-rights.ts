import type { Need } from '@berth/api';
import { allowsAction } from './allowed-actions.ts';
import { type Assignment, appliesTo } from './assignment.ts';
import { holds } from './condition.ts';

export interface ManagementRights {
  permits(need: Extract<Need, { readonly type: 'resource' }>): boolean;
}

/** What role assignments grant in the resource manager, the same in both modes of a registry. */
export function managementRightsOf(assignments: readonly Assignment[]): ManagementRights {
  return {
    permits: ({ action, scope }) =>
      assignments.some((assignment) => {
        const { role, condition } = assignment;
        if (!appliesTo(assignment, scope) || !allowsAction(role, 'actions', action)) return false;
        return condition === undefined || holds(condition, { action, repositoryName: undefined });
      }),
  };
}

import type { Need } from '@berth/api';
import type { Registry } from '../../tenancy/index.ts';
import { allowsAction } from './allowed-actions.ts';
import { type Assignment, appliesTo } from './assignment.ts';
import { holds } from './condition.ts';
import { type DataActions, catalogActions, repositoryActions } from './data-plane-actions.ts';
import { managementRightsOf } from './management-rights.ts';

/** What somebody may. */
export interface Rights {
  permits(need: Need): boolean;
}

/**
 * Who may replace the admin's passwords runs the registry. To list them is not enough: the Configuration Reader may,
 * and where the admin user is disabled it learns nothing by it.
 */
const operatorAction = 'Microsoft.ContainerRegistry/registries/regenerateCredential/action';

/** Who may this for the whole subscription runs the deployment: the directory could give such a right to anybody. */
const directoryAction = 'Microsoft.Authorization/roleAssignments/write';

/**
 * What role assignments grant in one registry (acr-api 2.7). In legacy mode control actions count for content, too, and
 * an assignment with a condition grants no content: the mode knows none. In ABAC mode data actions alone count, within
 * their conditions.
 */
export function rightsOf(assignments: readonly Assignment[], registry: Registry): Rights {
  const registryId = registry.resourceId.toLowerCase();
  const isAbac = registry.roleMode === 'AbacRepositoryPermissions';
  const management = managementRightsOf(assignments);
  const counting = assignments.filter(({ condition }) => isAbac || condition === undefined);

  function permitsContent(actions: DataActions, resource: string, repositoryName: string | undefined): boolean {
    const { legacy, data: action } = actions;
    return counting.some((assignment) => {
      const { role, condition } = assignment;
      if (!appliesTo(assignment, resource)) return false;
      if (!isAbac && legacy !== undefined && allowsAction(role, 'actions', legacy)) return true;
      if (action === undefined || !allowsAction(role, 'dataActions', action)) return false;
      return condition === undefined || holds(condition, { action, repositoryName });
    });
  }

  return {
    permits: (need) => {
      switch (need.type) {
        case 'operator':
          return management.permits({ type: 'resource', action: operatorAction, scope: registryId });
        case 'deployment':
          return management.permits({ type: 'resource', action: directoryAction, scope: subscriptionOf(registryId) });
        case 'agent':
        case 'region':
          return false;
        case 'resource':
          return management.permits(need);
        case 'registry':
          return permitsContent(catalogActions[need.name], registryId, undefined);
        case 'repository':
          // Whoever asks for all repositories needs the right to the registry, not to one that is called so.
          if (need.name === '*')
            return honoursWildcardScopes(registry) && permitsContent(repositoryActions[need.action], registryId, undefined);
          return permitsContent(repositoryActions[need.action], `${registryId}/repositories/${need.name}`, need.name);
      }
    },
  };
}

/** Whether a token may say `repository:*:…`; elsewhere such a scope is dropped without a word. */
export function honoursWildcardScopes(registry: Registry): boolean {
  return registry.roleMode === 'LegacyRegistryPermissions';
}

/** `/subscriptions/<id>` of a resource id. */
function subscriptionOf(resourceId: string): string {
  return resourceId.split('/', 3).join('/');
}

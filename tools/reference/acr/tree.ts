import { type AcrGroup, type AcrOperation, differs, works } from './entry.ts';

/** Roles at a scope: `path` leads to it, `word` names it in the ids. */
function rolesOf(path: string, word: string): readonly AcrOperation[] {
  const assignments = `${path}/providers/Microsoft.Authorization/roleAssignments`;
  return [
    works(`GET ${assignments}`, `arm-list-role-assignments-of-${word}`),
    ...['GET', 'PUT', 'DELETE'].map((verb) =>
      works(`${verb} ${assignments}/{name}`, `arm-${verb.toLowerCase()}-role-assignment-of-${word}`),
    ),
    differs(
      `GET ${path}/providers/Microsoft.Authorization/roleDefinitions`,
      `arm-list-role-definitions-of-${word}`,
      'built-in roles only',
    ),
  ];
}

/** The tree and the roles around registries, which belong to the resource manager and not to ACR. */
export const tree: AcrGroup = {
  title: 'Resource manager: around registries',
  operations: [
    works('GET /tenants', 'arm-list-tenants'),
    works('GET /subscriptions', 'arm-list-subscriptions'),
    works('GET SUB', 'arm-get-subscription'),
    works('GET SUB/locations', 'arm-list-locations'),
    works('GET SUB/providers', 'arm-list-providers'),
    works('GET SUB/providers/{provider}', 'arm-get-provider'),
    works('POST SUB/providers/{provider}/register', 'arm-register-provider'),
    differs('GET SUB/resources', 'arm-list-resources', 'lists registries; filters by type and name'),
    differs('GET RG/resources', 'arm-list-group-resources', 'the same'),
    works('GET SUB/resourceGroups', 'arm-list-resource-groups'),
    works('GET RG', 'arm-get-resource-group'),
    works('PUT RG', 'arm-put-resource-group'),
    differs('DELETE RG', 'arm-delete-resource-group', 'only a group that holds no registry'),
    ...rolesOf('SUB', 'subscription'),
    ...rolesOf('RG', 'group'),
    ...rolesOf('R', 'registry'),
  ],
};

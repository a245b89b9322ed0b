import { controlRoles } from './control-roles.ts';
import { dataRoles } from './data-roles.ts';
import { generalRoles } from './general-roles.ts';
import type { RoleDefinition } from './role-definition.ts';

/** Every built-in role; there are no others. */
export const roleDefinitions: readonly RoleDefinition[] = [...generalRoles, ...dataRoles, ...controlRoles];

const byIdOrName = new Map(
  roleDefinitions.flatMap((definition) => [
    [definition.id, definition],
    [definition.name.toLowerCase(), definition],
  ]),
);

/** A built-in role by its GUID or its name, in any case. */
export function findRole(idOrName: string): RoleDefinition | undefined {
  return byIdOrName.get(idOrName.toLowerCase());
}

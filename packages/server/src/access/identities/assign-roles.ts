import type { RoleAssignmentRow } from '../../platform/database/index.ts';
import { parseCondition } from '../roles/parse-condition.ts';
import { findRole } from '../roles/role-definitions.ts';
import { requireScopeHere } from '../written-elsewhere.ts';
import { type DirectoryContext, missing, requireAdded, requireIdentity, timeText } from './directory-context.ts';
import { invalid, parseGuid } from './model.ts';
import { assignmentsOf } from './queries.ts';
import { resolveScope } from './scope.ts';
import { deleteAssignment, putAssignment } from './transactions.ts';

export interface WantedRole {
  /** Name or GUID. */
  readonly role: string;
  readonly scope: string;
  readonly condition?: string;
}

/** @throws NOT_FOUND, INVALID_PARAMETER, NAME_IN_USE, CONFLICT, HOME_REGION_ONLY */
export async function assignRole(
  context: DirectoryContext,
  { identity, id, wanted }: { readonly identity: string; readonly id: string; readonly wanted: WantedRole },
): Promise<unknown> {
  const { id: identity_id } = await requireIdentity(context, identity);
  const role = findRole(wanted.role);
  if (role === undefined) throw invalid(`there is no role "${wanted.role}"; AcrPull and AcrPush are two of them`, 'role');
  const { condition } = wanted;
  if (condition !== undefined) parseCondition(condition);
  const scope = await resolveScope(context.database.read, wanted.scope);
  await requireScopeHere(context.database.read, scope);
  const row: RoleAssignmentRow = {
    id: parseGuid(id, 'assignment'),
    identity_id,
    role_id: role.id,
    scope,
    condition: condition ?? null,
    created_at: context.clock.now(),
  };
  requireAdded(await context.database.write(putAssignment, row), 'a role');
  context.onChange(identity_id);
  return describeAssignment(row);
}

/** @throws NOT_FOUND */
export async function showRoles(context: DirectoryContext, identity: string): Promise<unknown> {
  const { id } = await requireIdentity(context, identity);
  return { roles: (await assignmentsOf(context.database.read, id)).map(describeAssignment) };
}

/** @throws NOT_FOUND, INVALID_PARAMETER, HOME_REGION_ONLY */
export async function removeRole(context: DirectoryContext, identity: string, id: string): Promise<void> {
  const { id: identityId } = await requireIdentity(context, identity);
  const assignment = parseGuid(id, 'assignment');
  const found = (await assignmentsOf(context.database.read, identityId)).find((each) => each.id === assignment);
  if (found !== undefined) await requireScopeHere(context.database.read, found.scope);
  const isDeleted = await context.database.write(deleteAssignment, { identityId, id: assignment });
  context.onChange(identityId);
  if (!isDeleted) throw missing('the identity has no role assignment of this id');
}

export function describeAssignment({ id, role_id, scope, condition, created_at }: RoleAssignmentRow): object {
  const role = findRole(role_id)?.name ?? role_id;
  return { id, role, roleId: role_id, scope, condition, createdAt: timeText(created_at) };
}

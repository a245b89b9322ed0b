import type { ReadQueries, RoleAssignmentRow } from '../../platform/database/index.ts';

/** Azure shows all at once; more than a person reads are a mistake. */
const maxShown = 1000;

/** A role assignment by its own id, at this very scope. */
export function findAssignmentAt(
  db: ReadQueries,
  { id, scope }: { readonly id: string; readonly scope: string },
): Promise<RoleAssignmentRow | undefined> {
  return db
    .selectFrom('role_assignments')
    .selectAll()
    .where('id', '=', id.toLowerCase())
    .where('scope', '=', scope.toLowerCase())
    .executeTakeFirst();
}

/** What is assigned at a scope and at those above it, and below it unless `isHereOnly`. */
export async function assignmentsReaching(
  db: ReadQueries,
  { scope, isHereOnly }: { readonly scope: string; readonly isHereOnly: boolean },
): Promise<readonly RoleAssignmentRow[]> {
  const here = scope.toLowerCase();
  const above = here.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  return db
    .selectFrom('role_assignments')
    .selectAll()
    .where((row) => {
      const reaching = row('scope', 'in', above.slice(1));
      // "0" stands behind "/": what lies between the two begins with the scope and a slash.
      return isHereOnly ? reaching : row.or([reaching, row.and([row('scope', '>', `${here}/`), row('scope', '<', `${here}0`)])]);
    })
    .orderBy('scope')
    .orderBy('id')
    .limit(maxShown)
    .execute();
}

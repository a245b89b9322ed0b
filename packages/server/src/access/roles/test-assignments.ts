import type { Assignment } from './assignment.ts';
import { parseCondition } from './parse-condition.ts';
import { findRole } from './role-definitions.ts';

/** An assignment of a built-in role, for tests. */
export function testAssignment(roleName: string, scope: string, condition?: string): Assignment {
  const role = findRole(roleName);
  if (role === undefined) throw new Error(`there is no role ${roleName}`);
  return { scope, role, ...(condition === undefined ? {} : { condition: parseCondition(condition) }) };
}

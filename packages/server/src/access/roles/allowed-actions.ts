import { type ActionMatcher, compileActionPattern } from './action-pattern.ts';
import type { RoleDefinition } from './role-definition.ts';

export type ActionPlane = 'actions' | 'dataActions';

interface CompiledRole {
  readonly actions: ActionMatcher;
  readonly dataActions: ActionMatcher;
}

/** Compiled patterns live as long as their role. */
const compiled = new WeakMap<RoleDefinition, CompiledRole>();

/** Whether a role allows an action: one of its patterns fits, and none of those that take away. */
export function allowsAction(role: RoleDefinition, plane: ActionPlane, action: string): boolean {
  let matchers = compiled.get(role);
  if (matchers === undefined) {
    matchers = { actions: allowing(role.actions, role.notActions), dataActions: allowing(role.dataActions, role.notDataActions) };
    compiled.set(role, matchers);
  }
  return matchers[plane](action);
}

function allowing(patterns: readonly string[], notPatterns: readonly string[]): ActionMatcher {
  const allowed = patterns.map(compileActionPattern);
  const taken = notPatterns.map(compileActionPattern);
  return (action) => allowed.some((matches) => matches(action)) && !taken.some((matches) => matches(action));
}

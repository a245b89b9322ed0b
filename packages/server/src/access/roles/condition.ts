import type { ActionMatcher } from './action-pattern.ts';

/** What a condition is asked about. No name where the request is about no repository. */
export interface ConditionRequest {
  readonly action: string;
  readonly repositoryName: string | undefined;
}

/** The condition of a role assignment, parsed (`parse-condition.ts`). */
export type Condition =
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'action'; readonly matches: ActionMatcher }
  | { readonly kind: 'repository-name'; readonly matches: (name: string) => boolean };

/** Whether the condition holds. What rests on a name that is not there does not, negated or not. */
export function holds(condition: Condition, request: ConditionRequest): boolean {
  return evaluate(condition, request) === true;
}

/** Undefined: cannot be known, as in SQL. */
function evaluate(condition: Condition, request: ConditionRequest): boolean | undefined {
  switch (condition.kind) {
    case 'all':
      return decide(condition.parts, request, false);
    case 'any':
      return decide(condition.parts, request, true);
    case 'not': {
      const value = evaluate(condition.part, request);
      return value === undefined ? undefined : !value;
    }
    case 'action':
      return condition.matches(request.action);
    case 'repository-name':
      return request.repositoryName === undefined ? undefined : condition.matches(request.repositoryName);
  }
}

/** `decisive` decides alone; else all must be the other. */
function decide(parts: readonly Condition[], request: ConditionRequest, decisive: boolean): boolean | undefined {
  let value: boolean | undefined = !decisive;
  for (const part of parts) {
    const one = evaluate(part, request);
    if (one === decisive) return decisive;
    if (one === undefined) value = undefined;
  }
  return value;
}

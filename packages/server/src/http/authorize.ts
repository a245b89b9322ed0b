import type { Need, Operation } from '@berth/api';
import type { Principal } from '../tenancy/index.ts';

/** What a request needs by its operation's declaration. `name` is the repository of its path. */
export function needsOf(operation: Operation, name: string | undefined): readonly Need[] {
  const { permission } = operation;
  switch (permission.kind) {
    case 'public':
    case 'authenticated':
      return [];
    case 'catalog':
      return [{ type: 'registry', name: 'catalog', action: '*' }];
    case 'repository':
      return permission.actions.map((action) => ({ type: 'repository', name: name ?? '', action }));
    case 'operator':
      return [{ type: 'operator' }];
  }
}

/** The one decision about a request. */
export function isPermitted(principal: Principal, operation: Operation, needs: readonly Need[]): boolean {
  const { permission } = operation;
  if (permission.kind === 'public') return true;
  // An anonymous caller is told to sign in even where anonymous pull is on: `docker login` and az ask `/v2/` for a 401.
  if (permission.kind === 'authenticated') return principal.kind !== 'anonymous';
  return needs.every((need) => principal.permits(need));
}

/** A role as the resource manager shows it: what its patterns allow, less what its `not` patterns take away again. */
export interface RoleDefinition {
  /** A GUID in lower case. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Of the control plane, and in legacy registries of the data plane, too. */
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly dataActions: readonly string[];
  readonly notDataActions: readonly string[];
}

/** A role that takes nothing away again. An action that begins with a slash is one of registries. */
export function role(
  id: string,
  name: string,
  description: string,
  { actions = [], dataActions = [] }: { readonly actions?: readonly string[]; readonly dataActions?: readonly string[] },
): RoleDefinition {
  return {
    id,
    name,
    description,
    actions: actions.map(inFull),
    notActions: [],
    dataActions: dataActions.map(inFull),
    notDataActions: [],
  };
}

function inFull(action: string): string {
  return action.startsWith('/') ? `Microsoft.ContainerRegistry/registries${action}` : action;
}

import type { Need } from '@berth/api';

export const systemScopeMaps: readonly {
  readonly name: string;
  readonly description: string;
  readonly actions: readonly string[];
}[] = [
  {
    name: '_repositories_pull',
    description: 'Can pull any repository of the registry',
    actions: ['repositories/*/content/read'],
  },
];
export function requireScopeMapActions(actions: readonly string[]): readonly string[] {
  return actions;
}
export function rightsOfScopeMap(actions: readonly string[]): { permits(need: Need): boolean } {
  return { permits: () => actions.length > 0 };
}

import type { Need } from '@berth/api';
import type { Registry } from '../../tenancy/index.ts';

export function rightsOf(assignments: readonly { scope: string }[], _registry: Registry): { permits(need: Need): boolean } {
  return { permits: () => assignments.length > 0 };
}
export function managementRightsOf(assignments: readonly { scope: string }[]): { permits(need: Need): boolean } {
  return { permits: () => assignments.length > 0 };
}

export { type RegistryPolicies, defaultPolicies } from './policies.ts';
export type { AgentFacts, Principal, PrincipalKind } from './principal.ts';
export type { NetworkRules, Plan, Registry, RoleMode } from './registry.ts';
export type { RequestDetails, RequestNotes, RequestRecord } from './request-record.ts';

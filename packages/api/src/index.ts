export { type Operation, type OperationResponse, defineOperation } from './operation.ts';
export type { Need, Permission, RepositoryAction } from './permission.ts';
export * as arm from './operations/arm.ts';
export * as cloud from './operations/cloud.ts';
export * as acr from './operations/acr.ts';
export * as access from './operations/access.ts';
export * as distribution from './operations/distribution.ts';
export * as health from './operations/health.ts';
export * as upkeep from './operations/upkeep.ts';

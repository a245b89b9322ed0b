export type { Principal } from './principal.ts';
export type { Registry } from './registry.ts';

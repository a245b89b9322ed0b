export { type ErrorName, catalogue, catalogueRow } from './catalogue.ts';
export { RegistryError, type RegistryErrorOptions } from './registry-error.ts';

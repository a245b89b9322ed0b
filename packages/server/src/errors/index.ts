export { renderAsArm } from './as-arm.ts';
export { asRegistryError, renderAsOci } from './as-oci.ts';
export { type ErrorName, catalogue, catalogueRow } from './catalogue.ts';
export { RegistryError, type RegistryErrorOptions } from './registry-error.ts';
export { Refusal } from './refusal.ts';

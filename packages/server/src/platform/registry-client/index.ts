export { type RegistryAddress, parseRegistryAddress } from './address.ts';
export type { RemoteCredentials } from './authorization.ts';
export type { Patience } from './patient-request.ts';
export { RemoteError } from './remote-error.ts';
export { RemoteRepository } from './remote-repository.ts';

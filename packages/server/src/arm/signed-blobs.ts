import type { Registry } from '../tenancy/index.ts';
import type { AddressPermission, SignedAddresses } from './signed-address.ts';
import { BlobRefusal } from './blob-refusal.ts';

/** What stands behind the name of a registry in a path, so that clients find `.blob.` (acr-tasks 3). */
const accountSuffix = '.blob.berth';
const uploadMs = 60 * 60_000;
const logMs = 75 * 60_000;

interface SigningContext {
  /** The signing keys are read when the first address is signed or checked. */
  readonly addresses: () => Promise<SignedAddresses>;
  readonly clock: { now(): number };
}

/** Where the files of a build go to. `secret`: what the reservation of the source gave. */
export async function uploadAddress(
  { addresses, clock }: SigningContext,
  { registry, id, secret }: { readonly registry: Registry; readonly id: string; readonly secret: string },
): Promise<string> {
  const path = sourcePath(registry, id);
  const grant = { registryId: registry.id, path, permission: 'cw' } as const;
  return `${path}?${(await addresses()).sign(grant, { expiresAt: clock.now() + uploadMs, identifier: secret })}`;
}

/** Where the log of a run can be read. */
export async function logAddress({ addresses, clock }: SigningContext, registry: Registry, runId: string): Promise<string> {
  const path = logPath(registry, runId);
  const grant = { registryId: registry.id, path, permission: 'r' } as const;
  return `${path}?${(await addresses()).sign(grant, { expiresAt: clock.now() + logMs })}`;
}

export function sourcePath({ name }: Registry, id: string): string {
  return `/berth/blobs/${name}${accountSuffix}/source/${id}`;
}

export function logPath({ name }: Registry, runId: string): string {
  return `/berth/blobs/${name}${accountSuffix}/logs/${runId}/rawtext.log`;
}

/** The name of the registry of an address. */
export function registryOfAccount(account: string): string | undefined {
  return account.endsWith(accountSuffix) ? account.slice(0, -accountSuffix.length) : undefined;
}

interface SignedRequest {
  /** Undefined: there is no such registry. That, too, is nothing that a stranger learns. */
  readonly registry: Registry | undefined;
  readonly path: (registry: Registry) => string;
  readonly permission: AddressPermission;
  readonly query: URLSearchParams;
}

/** The registry of an address whose signature holds. @throws BlobRefusal */
export async function requireSignature(
  { addresses, clock }: SigningContext,
  { registry, path, permission, query }: SignedRequest,
): Promise<Registry> {
  if (registry === undefined) throw notSigned();
  const grant = { registryId: registry.id, path: path(registry), permission };
  const verdict = (await addresses()).check(grant, query, clock.now());
  if (verdict === 'invalid') throw notSigned();
  if (verdict === 'expired') throw new BlobRefusal('AuthenticationFailed', 'The address has expired. Ask for another one.');
  return registry;
}

function notSigned(): BlobRefusal {
  return new BlobRefusal('AuthenticationFailed', 'The address is not signed for this, or it was changed.');
}

import { RegistryError } from '../../errors/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { SecretAddress } from '../model.ts';
import type { TasksContext } from '../tasks-context.ts';
import { parseSecretAddress } from './secret-addresses.ts';
import { openSecret } from './secret-store.ts';

const maxSecrets = 100;
/** How many are asked for at the same time, as ACR's executor has it. */
const atOnce = 5;

/** The values of secrets, in the order of their addresses. Nothing of them is kept. @throws INVALID_PARAMETER, UPSTREAM_FAILED */
export async function resolveSecrets(
  context: TasksContext,
  registry: Registry,
  { sources, signal }: { readonly sources: readonly SecretAddress[]; readonly signal: AbortSignal },
): Promise<readonly { readonly id: string; readonly value: string }[]> {
  if (sources.length > maxSecrets)
    throw new RegistryError('INVALID_PARAMETER', { message: `a run may have at most ${maxSecrets} secrets`, target: 'secrets' });
  // Each address is read before any of them is asked for.
  const places = sources.map(({ id, keyvault }) => ({ id, place: parseSecretAddress(keyvault) }));
  const resolved: { readonly id: string; readonly value: string }[] = [];
  for (let start = 0; start < places.length; start += atOnce) {
    const batch = places.slice(start, start + atOnce).map(async ({ id, place }) => {
      if (place.kind === 'vault') return { id, value: await context.vault(place, signal) };
      const value = await openSecret(context, registry.id, place.name);
      if (value !== undefined) return { id, value };
      throw new RegistryError('INVALID_PARAMETER', {
        message: `this registry keeps no secret ${place.name}: berth secrets set ${place.name} < FILE`,
        target: 'keyvault',
      });
    });
    resolved.push(...(await Promise.all(batch)));
  }
  return resolved;
}

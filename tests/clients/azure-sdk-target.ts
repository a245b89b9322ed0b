import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import { ClientSecretCredential } from '@azure/identity';
import { type Owner, type StartedRegistry, readOwner, startRegistry } from '@berth/testkit';

/** A registry over TLS that Azure's JavaScript SDKs talk to, unmodified. */
export interface SdkTarget {
  readonly registry: StartedRegistry;
  readonly owner: Owner;
  readonly arm: ContainerRegistryManagementClient;
  /** Signed in as the owner. `tenant`: as an ADFS authority has none it is called `adfs`; otherwise the tenant's id. */
  credential(tenant?: string, identity?: Pick<Owner, 'clientId' | 'clientSecret'>): ClientSecretCredential;
}

/** A region that registries may be replicated to; it does not answer. */
const oneMorePeer = { peers: 'westeu=http://127.0.0.1:1', peerKey: 'a key that no other region has of 32 characters' } as const;

/** One registry for the tests of a file. This process trusts its authority from then on. */
export function useSdkTarget(settings: Readonly<Record<string, string>> = {}): () => SdkTarget {
  let target: SdkTarget | undefined;
  before(async () => {
    const registry = await startRegistry({ settings: { tls: 'auto', ...oneMorePeer, ...settings } });
    const authority = await readFile(join(registry.dataDir, 'tls', 'authority.pem'), 'utf8');
    setDefaultCACertificates([...getCACertificates('default'), authority]);
    const owner = await readOwner(registry.dataDir);
    const credential: SdkTarget['credential'] = (tenant = 'adfs', { clientId, clientSecret } = owner) =>
      new ClientSecretCredential(tenant, clientId, clientSecret, { authorityHost: registry.url, disableInstanceDiscovery: true });
    const arm = new ContainerRegistryManagementClient(credential(), owner.subscriptionId, { endpoint: registry.url });
    target = { registry, owner, arm, credential };
  });
  after(() => target?.registry.stop());
  return () => {
    if (target === undefined) throw new Error('the registry has not started yet');
    return target;
  };
}

/** Everything that a paged list gives. */
export async function all<Item>(list: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of list) items.push(item);
  return items;
}

/** What a RestError says. */
export async function refusal(promise: PromiseLike<unknown>): Promise<{ readonly code: unknown; readonly statusCode: unknown }> {
  try {
    await promise;
  } catch (error) {
    const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
    return { code, statusCode };
  }
  return assert.fail('it was not refused');
}

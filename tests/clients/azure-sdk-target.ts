import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import { ClientSecretCredential } from '@azure/identity';
import { type Owner, type StartedRegistry, readOwner, startRegistry } from '@berth/testkit';
import { Chance } from '../chaos/content.ts';
import { Link } from '../regions/link.ts';

/** A registry over TLS that Azure's JavaScript SDKs talk to, unmodified. */
export interface SdkTarget {
  readonly registry: StartedRegistry;
  readonly owner: Owner;
  readonly arm: ContainerRegistryManagementClient;
  /** Signed in as the owner. `tenant`: as an ADFS authority has none it is called `adfs`; otherwise the tenant's id. */
  credential(tenant?: string, identity?: Pick<Owner, 'clientId' | 'clientSecret'>): ClientSecretCredential;
  /** Starts the region `westeu`, to which registries can be replicated; until then it does not answer. */
  startOtherRegion(): Promise<void>;
}

const peerKey = 'a key that two regions of a test share';

/** One registry for the tests of a file. This process trusts its authority from then on. */
export function useSdkTarget(settings: Readonly<Record<string, string>> = {}): () => SdkTarget {
  let target: SdkTarget | undefined;
  const opened = new AsyncDisposableStack();
  before(async () => {
    const link = opened.use(await Link.open(new Chance(1)));
    const regions = { peers: `westeu=${link.address}`, peerKey };
    const registry = await startRegistry({ settings: { tls: 'auto', ...regions, ...settings } });
    opened.defer(() => registry.stop());
    const authority = await readFile(join(registry.dataDir, 'tls', 'authority.pem'), 'utf8');
    setDefaultCACertificates([...getCACertificates('default'), authority]);
    const owner = await readOwner(registry.dataDir);
    const credential: SdkTarget['credential'] = (tenant = 'adfs', { clientId, clientSecret } = owner) =>
      new ClientSecretCredential(tenant, clientId, clientSecret, { authorityHost: registry.url, disableInstanceDiscovery: true });
    const arm = new ContainerRegistryManagementClient(credential(), owner.subscriptionId, { endpoint: registry.url });
    const startOtherRegion = async (): Promise<void> => {
      const peerCa = join(registry.dataDir, 'tls', 'authority.pem');
      const other = await startRegistry({ settings: { region: 'westeu', peers: `local=${registry.url}`, peerKey, peerCa } });
      opened.defer(() => other.stop());
      link.lead({ host: '127.0.0.1', port: Number(new URL(other.url).port) });
    };
    target = { registry, owner, arm, credential, startOtherRegion };
  });
  after(() => opened.disposeAsync());
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

import { randomUUID } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { ManagedKeyRing } from '../platform/keys/index.ts';
import type { Plan, Registry } from '../tenancy/index.ts';
import { type RegistryRecord, defaultRegistryName, registryOf } from './model.ts';
import { type Plans, standardPlans } from './plans.ts';
import { allRegistries, findDeployment, findRegion, findRegistry } from './queries.ts';
import { ensureDeployment, ensureRegistry, nameRegion } from './transactions.ts';

export { type FirstRun, addFirstOwner, firstRunFileName, removeFirstRun, writeFirstRun } from './first-run-file.ts';
export * from './model.ts';
export { allRegistries, findRegistry } from './queries.ts';
export { type NewRegistry, type RegistryChange, deleteRegistry, ensureRegistry, updateRegistry } from './transactions.ts';
export { collectDeletedRegistries } from './collect-deleted.ts';
export * from './network-rule.ts';
export * from './parse-plan-limits.ts';
export * from './plan-change.ts';
export * from './plans.ts';

/** Whom the deployment is to clients of the resource manager. */
export interface DeploymentIds {
  readonly tenantId: string;
  readonly subscriptionId: string;
}

export interface Registries {
  readonly ids: DeploymentIds;
  /** What each plan allows here. */
  readonly plans: Plans;
  /** The registry that every deployment has, as it is now. */
  readonly local: Registry;
  /** As of the last refresh, by name. */
  all(): readonly Registry[];
  byName(name: string): Registry | undefined;
  byId(id: number): Registry | undefined;
  /** The registry that a host name picks; an unknown one is the default registry. */
  resolve(host: string): Registry;
  /** Reads the registries anew: after a change here, and now and again for changes of other processes. */
  refresh(): Promise<void>;
}

/** The resource group of the default registry. */
export const defaultResourceGroup = 'berth';

export interface RegistriesOptions {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: Clock;
  /** Of the default registry. Asked for with each request: a port that the system chooses is known only once the server listens. */
  readonly loginServer: () => string;
  /** The default registry lets anybody pull, whatever the resource manager says. */
  readonly isAnonymousPullEnabled: boolean;
  readonly region: string;
  /** Of the default registry when it is made; Premium unless said: whoever runs their own has paid for everything. */
  readonly defaultPlan?: Plan;
  /** ACR's unless said. */
  readonly plans?: Plans;
}

/** Loads the registries; makes the default one with its first data key when missing. */
export async function openRegistries(options: RegistriesOptions): Promise<Registries> {
  const { database, clock, region, defaultPlan = 'Premium' } = options;
  const now = clock.now();
  const deployment =
    (await findDeployment(database.read)) ??
    (await database.write(ensureDeployment, {
      tenant_id: randomUUID(),
      subscription_id: randomUUID(),
      created_at: now,
      location: region,
    }));
  // Before anything writes the change log: its stamps name the region.
  if ((await findRegion(database.read)) !== region) await database.write(nameRegion, { region });
  if ((await findRegistry(database.read, defaultRegistryName)) === undefined) {
    const facts = { name: defaultRegistryName, resourceGroup: defaultResourceGroup, location: region, plan: defaultPlan };
    await database.write(ensureRegistry, { ...facts, isAnonymousPullEnabled: false, tags: {}, properties: {}, by: '', now });
  }
  const opened = new OpenedRegistries(options, { tenantId: deployment.tenant_id, subscriptionId: deployment.subscription_id });
  await opened.refresh();
  return opened;
}

class OpenedRegistries implements Registries {
  readonly ids: DeploymentIds;
  readonly plans: Plans;
  readonly #options: RegistriesOptions;
  /** By name, with the version that it was made of: an unchanged registry stays the same object. */
  #known: ReadonlyMap<string, { readonly version: number; readonly registry: Registry }> = new Map();

  #byId: ReadonlyMap<number, Registry> = new Map();

  constructor(options: RegistriesOptions, ids: DeploymentIds) {
    this.#options = options;
    this.ids = ids;
    this.plans = options.plans ?? standardPlans;
  }

  get local(): Registry {
    const local = this.byName(defaultRegistryName);
    if (local === undefined) throw new Error('the default registry is missing');
    return local;
  }

  all(): readonly Registry[] {
    return [...this.#known.values()].map(({ registry }) => registry);
  }

  byId(id: number): Registry | undefined {
    return this.#byId.get(id);
  }

  byName(name: string): Registry | undefined {
    return this.#known.get(name.toLowerCase())?.registry;
  }

  resolve(host: string): Registry {
    // Most deployments have one: nothing to look up.
    if (this.#known.size === 1) return this.local;
    const [first = '', second = '', ...rest] = host.split('.');
    if (second === '') return this.local;
    // `west.team1.registry.example` is how the region west calls the registry team1.
    const isOfRegion = first.toLowerCase() === this.#options.region && rest.length > 0;
    return this.byName(first) ?? (isOfRegion ? this.byName(second) : undefined) ?? this.local;
  }

  async refresh(): Promise<void> {
    const { database, keys } = this.#options;
    const records = await allRegistries(database.read);
    // A crash may have come between the registry and its key; content cannot exist without one.
    for (const { id } of records) if (!keys.hasKey(id)) await keys.addDataKey(id);
    this.#known = new Map(records.map((record) => [record.name, this.#entry(record)]));
    this.#byId = new Map(this.all().map((registry) => [registry.id, registry]));
  }

  #entry(record: RegistryRecord): { readonly version: number; readonly registry: Registry } {
    const known = this.#known.get(record.name);
    if (known?.version === record.version && known.registry.id === record.id) return known;
    const { loginServer, isAnonymousPullEnabled } = this.#options;
    const isDefault = record.name === defaultRegistryName;
    const registry = registryOf(
      { ...record, isAnonymousPullEnabled: record.isAnonymousPullEnabled || (isDefault && isAnonymousPullEnabled) },
      {
        subscriptionId: this.ids.subscriptionId,
        loginServer: isDefault ? loginServer : () => `${record.name}.${loginServer()}`,
      },
    );
    return { version: record.version, registry };
  }
}

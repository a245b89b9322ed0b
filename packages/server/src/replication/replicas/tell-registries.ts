import type { RefusedRegistry, ReplicatedRegistry } from '../peers/model.ts';
import { RegistryError } from '../../errors/index.ts';
import { SealBrokenError } from '../../platform/sealing/index.ts';
import { Recent } from '../../platform/recent.ts';
import type { Registry } from '../../tenancy/index.ts';
import { exportSettings } from '../settings/export-settings.ts';
import type { RegistriesTold } from '../settings/model.ts';
import { holdingRegions, regionKey, removedReplicas, settingsVersionOf } from './queries.ts';
import type { ReplicasContext } from './replicas-context.ts';

/** Regions ask every two seconds, each for itself. */
const keptMs = 1_000;
const maxKept = 1_000;

/** What this region tells others about the registries that it holds. */
export class ToldRegistries implements RegistriesTold {
  readonly #context: ReplicasContext;
  readonly #refused: ReadonlyMap<string, RefusedRegistry & { readonly home: string }>;
  readonly #settings = new Recent<{ readonly at: number; readonly told: ReturnType<typeof exportSettings> }>({
    maxEntries: maxKept,
  });

  constructor(
    context: ReplicasContext,
    /** What this region cannot hold, by name. */
    refused: ReadonlyMap<string, RefusedRegistry & { readonly home: string }>,
  ) {
    this.#context = context;
    this.#refused = refused;
  }

  async listFor(region: string): ReturnType<RegistriesTold['listFor']> {
    const { registries, database, credentials } = this.#context;
    const told: ReplicatedRegistry[] = [];
    for (const registry of registries.all()) {
      if (registry.isReplicated !== true) continue;
      const regions = await this.#regionsOf(registry);
      if (!regions.some(({ name }) => regionKey(name) === regionKey(region))) continue;
      told.push({
        name: registry.name,
        home: this.#homeOf(registry),
        loginServer: registry.loginServer,
        settingsVersion: await this.#versionOf(registry),
        regions,
      });
    }
    return {
      registries: told,
      removed: await removedReplicas(database.read, region),
      refused: [...this.#refused.values()]
        .filter(({ home }) => regionKey(home) === regionKey(region))
        .map(({ name, problem, remedy }) => ({ name, problem, remedy })),
      tokenKeys: credentials.tokenKeys,
    };
  }

  async isHeldBy(registry: Registry, region: string): Promise<boolean> {
    if (registry.isReplicated !== true) return false;
    return (await this.#regionsOf(registry)).some(({ name }) => regionKey(name) === regionKey(region));
  }

  async settingsOf(registry: Registry): Promise<{ readonly version: string; readonly json: string }> {
    if (registry.homeRegion !== undefined)
      throw new RegistryError('NOT_FOUND', {
        message: `the settings of ${registry.name} are those of its home region, ${registry.homeRegion}`,
      });
    const { clock } = this.#context;
    const key = String(registry.id);
    const known = this.#settings.get(key);
    if (known !== undefined && Math.abs(clock.now() - known.at) < keptMs) return known.told;
    const told = this.#export(registry);
    this.#settings.set(key, { at: clock.now(), told });
    // Whoever asks gets the failure; the next one asks anew.
    told.catch(() => this.#settings.delete(key));
    return told;
  }

  #export(registry: Registry): ReturnType<typeof exportSettings> {
    const { database, keys, credentials, knowledge, peers } = this.#context;
    const here = { name: peers.region, loginServer: registry.loginServer, tokenKeys: credentials.tokenKeys };
    const others = knowledge.regionsOf(registry.id).filter(({ name }) => regionKey(name) !== regionKey(peers.region));
    const { read } = database;
    return exportSettings({ read, keys, verifierKeys: credentials.verifierKeys, regions: [here, ...others] }, registry);
  }

  async #versionOf(registry: Registry): Promise<string> {
    if (registry.homeRegion === undefined) return (await this.settingsOf(registry).catch(unavailable)).version;
    return (await settingsVersionOf(this.#context.database.read, registry.id)) ?? '';
  }

  #homeOf({ homeRegion }: Registry): string {
    return homeRegion ?? this.#context.peers.region;
  }

  #regionsOf(registry: Registry): ReturnType<typeof holdingRegions> {
    return holdingRegions(this.#context.database.read, { registryId: registry.id, home: this.#homeOf(registry) });
  }
}

/** Without its keys a registry has no settings that could be told; the others are not to wait for it. */
function unavailable(error: unknown): { readonly version: string } {
  if (error instanceof RegistryError || error instanceof SealBrokenError) return { version: '' };
  throw error;
}

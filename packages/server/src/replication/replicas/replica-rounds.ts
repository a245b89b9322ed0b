import { repeat } from '../../platform/repeat.ts';
import {
  type Peer,
  type PeerFacts,
  PeerError,
  type RefusedRegistry,
  type ReplicatedRegistry,
  feedVersion,
} from '../peers/model.ts';
import { applySettings } from '../settings/apply-settings.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import { toBeApplied } from '../settings/take-over.ts';
import { confirmRemoval } from './begin-replication.ts';
import { holdReplica } from './hold-replica.ts';
import { leaveReplica } from './leave-replica.ts';
import { regionKey, removedReplicas, settingsVersionOf } from './queries.ts';
import type { ReplicasContext } from './replicas-context.ts';

/** How late a region learns that it is to hold a registry, or of changed settings. */
const everyMs = 2_000;
/** A region that has just read that it is to hold a registry, and was told otherwise meanwhile, has made it by then, and lists it. */
const confirmMs = 5_000;
/** Where a new replica stands in the resource manager until its settings come: the group that every deployment has. */
const firstGroup = 'berth';

/** Asks every other region now and again which registries this one is to hold, and holds them. */
export class ReplicaRounds {
  readonly #context: ReplicasContext;
  /** By name: what this region is to hold and cannot. */
  readonly refused = new Map<string, RefusedRegistry & { readonly home: string }>();
  /** By region, as of its last answer. */
  readonly #refusedElsewhere = new Map<string, readonly RefusedRegistry[]>();
  /** Why the settings of a registry could not be taken over, by name. */
  readonly #unsettled = new Map<string, { readonly problem: string; readonly remedy: string }>();

  constructor(context: ReplicasContext) {
    this.#context = context;
  }

  /** What another region said of a registry of this home that it cannot hold. */
  refusedBy(name: string, region: string): RefusedRegistry | undefined {
    return this.#refusedElsewhere.get(regionKey(region))?.find((refused) => refused.name.toLowerCase() === name);
  }

  loops(): readonly Promise<void>[] {
    const { peers, signal, log } = this.#context;
    return peers
      .all()
      .map((peer) => repeat(() => this.ask(peer), { name: `registries of the region ${peer.name}`, everyMs, signal, log }));
  }

  /** What is wrong with a registry here that is to be a replica; undefined: nothing. */
  problemOf(name: string): { readonly problem: string; readonly remedy: string } | undefined {
    return this.refused.get(name) ?? this.#unsettled.get(name);
  }

  /** One round with one region. What it does not answer changes nothing: a replica stays one. */
  async ask(peer: Peer): Promise<void> {
    const { knowledge, signal, log } = this.#context;
    let facts: PeerFacts;
    try {
      facts = await peer.facts(signal);
    } catch (error) {
      // The followers of its registries show why, and so does the status.
      if (!(error instanceof PeerError)) throw error;
      log.debug({ region: peer.name, kind: error.kind, problem: error.message }, 'a region does not tell its registries');
      await knowledge.refresh();
      return;
    }
    if (facts.feedVersion !== feedVersion) return;
    this.#refusedElsewhere.set(regionKey(peer.name), facts.refused);
    for (const told of facts.registries) if (isFrom(told, facts)) await this.#hold(peer, told);
    for (const name of facts.removed) await this.#leave(peer, name);
    await this.#confirm(peer, facts);
    this.#forgetRefused(facts);
    await knowledge.learn(facts);
    await knowledge.refresh();
  }

  async #hold(peer: Peer, told: ReplicatedRegistry): Promise<void> {
    const { database, clock, log, registries, bells } = this.#context;
    const home = peer.name;
    const name = told.name.toLowerCase();
    const known = registries.byName(name);
    if (known?.homeRegion === undefined || regionKey(known.homeRegion) !== regionKey(home)) {
      const held = await database.write(holdReplica, { name, home, resourceGroup: firstGroup, now: clock.now() });
      if (held.outcome === 'refused') {
        const { problem, remedy } = held;
        if (this.refused.get(name)?.problem !== problem)
          log.error({ registry: name, home, problem, remedy }, 'a registry cannot be held here');
        this.refused.set(name, { name, home, problem, remedy });
        return;
      }
      this.refused.delete(name);
      await registries.refresh();
      if (held.outcome !== 'held')
        log.info({ registry: name, home, outcome: held.outcome }, 'this region holds a registry of another');
      bells.replicas();
    }
    await this.#settle(peer, told);
  }

  /** Takes over the settings where they are others than the last ones. */
  async #settle(peer: Peer, { name, settingsVersion }: ReplicatedRegistry): Promise<void> {
    const { database, keys, clock, log, registries, credentials, knowledge, bells, signal } = this.#context;
    const registry = registries.byName(name);
    if (registry === undefined || settingsVersion === '') return;
    if ((await settingsVersionOf(database.read, registry.id)) === settingsVersion) return;
    try {
      const { version, json } = await peer.settings(registry.name, signal);
      const settings = await parseSettings(json, { region: peer.name, registry: registry.name });
      const home = registry.homeRegion ?? peer.name;
      const outcome = await database.write(
        applySettings,
        toBeApplied(settings, { registry, home, version, keys, now: clock.now() }),
      );
      if (outcome === 'gone') return;
      this.#unsettled.delete(registry.name);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#unsettled.set(registry.name, { problem: error.message, remedy: error.remedy });
      log.warn(
        { registry: registry.name, home: peer.name, problem: error.message },
        'settings of a registry could not be taken over',
      );
      return;
    }
    await registries.refresh();
    credentials.forgetAccounts();
    await knowledge.refresh();
    log.info({ registry: registry.name, home: peer.name }, 'the settings of a registry were taken over from its home region');
    bells.replicas();
  }

  /** Only what its home region says to be removed goes: what it has merely lost stays. */
  async #leave(peer: Peer, told: string): Promise<void> {
    const { database, clock, log, registries, bells, peers, defaultPlan, onLocalRenewed } = this.#context;
    const name = told.toLowerCase();
    const registry = registries.byName(name);
    if (registry?.homeRegion === undefined || regionKey(registry.homeRegion) !== regionKey(peer.name)) return;
    const isLeft = await database.write(leaveReplica, {
      registryId: registry.id,
      name,
      home: registry.homeRegion,
      scope: registry.resourceId.toLowerCase(),
      successor: registry.isDefault ? { location: peers.region, plan: defaultPlan } : undefined,
      now: clock.now(),
    });
    if (!isLeft) return;
    await registries.refresh();
    bells.replicas();
    log.info(
      { registry: name, home: peer.name },
      'this region holds a registry no longer; its content here is removed in the background',
    );
    if (registry.isDefault) await onLocalRenewed(registries.local);
  }

  /** What the region held of registries of this home is gone when it no longer lists it. */
  async #confirm(peer: Peer, { registries: listed }: PeerFacts): Promise<void> {
    const { database, clock } = this.#context;
    const before = clock.now() - confirmMs;
    for (const registry of await removedReplicas(database.read, peer.name, before))
      if (!listed.some(({ name }) => name.toLowerCase() === registry))
        await database.write(confirmRemoval, { registry, region: peer.name });
  }

  #forgetRefused({ region, registries: listed }: PeerFacts): void {
    for (const [name, { home }] of this.refused)
      if (regionKey(home) === regionKey(region) && !listed.some((told) => told.name.toLowerCase() === name))
        this.refused.delete(name);
  }
}

function isFrom({ home }: ReplicatedRegistry, { region }: PeerFacts): boolean {
  return regionKey(home) === regionKey(region);
}

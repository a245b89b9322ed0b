import type { Clock } from '../../platform/clock.ts';
import { type Database, defineTransaction, lockRows } from '../../platform/database/index.ts';
import type { KeyRing } from '../../platform/keys/index.ts';
import type { Registries } from '../../registries/index.ts';
import type { PeerFacts } from '../peers/model.ts';
import { type HomeKeys, openHomeKeys, sealHomeKeys } from '../settings/home-keys.ts';
import { regionKey, sealedHomeKeys } from './queries.ts';

/** How this feature tells `access` which credentials of other regions count (`RegionCredentials` there). */
export interface CredentialsOfRegions {
  readonly verifierKeys: readonly { readonly id: string; readonly key: Buffer }[];
  readonly tokenKeys: readonly Readonly<Record<string, unknown>>[];
  trust(
    registries: readonly {
      readonly registryId: number;
      readonly home?: {
        readonly registryId: number;
        readonly verifierKeys: readonly { readonly id: string; readonly key: Buffer }[];
      };
      readonly regions: HomeKeys['regions'];
    }[],
  ): void;
  forgetAccounts(): void;
}

export interface KnowledgeParts {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly registries: Pick<Registries, 'byName' | 'byId'>;
  /** This region. */
  readonly region: string;
  readonly credentials: CredentialsOfRegions;
}

/** Of one region. More would be a mistake of its own. */
const maxTokenKeys = 20;

/** What other regions' tokens are verified with and their passwords checked by, kept for when those regions are down. */
export class RegionKnowledge {
  readonly #parts: KnowledgeParts;
  /** By registry: what was read last, as it lay there. */
  #known = new Map<number, { readonly sealed: string; readonly keys: HomeKeys | undefined }>();

  constructor(parts: KnowledgeParts) {
    this.#parts = parts;
  }

  /** The other regions that hold a registry, as far as they are known here. */
  regionsOf(registryId: number): HomeKeys['regions'] {
    return this.#known.get(registryId)?.keys?.regions ?? [];
  }

  /** Reads what is kept, by other processes too, and lets it count. */
  async refresh(): Promise<void> {
    const { database, keys, credentials } = this.#parts;
    const rows = await sealedHomeKeys(database.read);
    const before = this.#known;
    let isChanged = rows.length !== before.size;
    const known = new Map<number, { readonly sealed: string; readonly keys: HomeKeys | undefined }>();
    for (const row of rows) {
      const sealed = Buffer.from(row.sealed).toString('base64');
      const same = before.get(row.registry_id);
      if (same?.sealed === sealed && same.keys !== undefined) {
        known.set(row.registry_id, same);
        continue;
      }
      isChanged = true;
      const opened = openHomeKeys(keys, row.registry_id, { dataKeyId: row.data_key_id, sealed: row.sealed });
      known.set(row.registry_id, { sealed, keys: opened });
    }
    if (!isChanged) return;
    this.#known = known;
    credentials.trust(
      [...known].map(([registryId, { keys: of }]) => ({
        registryId,
        ...(of?.home && {
          home: {
            registryId: of.home.registryId,
            verifierKeys: of.home.verifierKeys.map(({ id, key }) => ({ id, key: Buffer.from(key, 'base64') })),
          },
        }),
        regions: (of?.regions ?? []).filter(({ name }) => !this.#isHere(name)),
      })),
    );
    credentials.forgetAccounts();
  }

  /**
   * Keeps what a region says of its tokens, for every registry that both hold. What is kept already is read first, and written anew only
   * as long as it is the same: the settings of the home region, which come meanwhile, bring its keys. What cannot be opened now stays.
   */
  async learn(facts: PeerFacts): Promise<void> {
    await this.refresh();
    const { database, keys, registries } = this.#parts;
    const tokenKeys = facts.tokenKeys.slice(0, maxTokenKeys);
    for (const { name, loginServer } of facts.registries) {
      const registry = registries.byName(name);
      if (registry?.isReplicated !== true) continue;
      const kept = this.#known.get(registry.id);
      if (kept !== undefined && kept.keys === undefined) continue;
      const before = kept?.keys ?? { regions: [] };
      const told = { name: facts.region, loginServer, tokenKeys };
      const others = before.regions.filter((each) => regionKey(each.name) !== regionKey(facts.region));
      const known = before.regions.find((each) => regionKey(each.name) === regionKey(facts.region));
      if (JSON.stringify(known) === JSON.stringify(told)) continue;
      const regions = [...others, told].toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const sealed = sealHomeKeys(keys, registry.id, { ...before, regions });
      await database.write(putHomeKeys, { registryId: registry.id, instead: kept?.sealed, ...sealed });
    }
  }

  #isHere(name: string): boolean {
    return regionKey(name) === regionKey(this.#parts.region);
  }
}

interface PutHomeKeys {
  readonly registryId: number;
  /** What it is made from, as it lay there (base64); undefined: nothing did. */
  readonly instead: string | undefined;
  readonly dataKeyId: string;
  readonly sealed: Uint8Array;
}

/** Nothing is written when something else lies there by now: the next round sees that. */
export const putHomeKeys = defineTransaction(
  'replication.put-home-keys',
  async (tx, { registryId, instead, dataKeyId, sealed }: PutHomeKeys): Promise<void> => {
    // The registry's row is locked by whoever applies its settings, too.
    await lockRows(tx.selectFrom('registries').select('id').where('id', '=', registryId)).execute();
    const kept = await tx.selectFrom('home_keys').select('sealed').where('registry_id', '=', registryId).executeTakeFirst();
    if ((kept && Buffer.from(kept.sealed).toString('base64')) !== instead) return;
    const row = { data_key_id: dataKeyId, sealed };
    await tx
      .insertInto('home_keys')
      .values({ registry_id: registryId, ...row })
      .onConflict((conflict) => conflict.column('registry_id').doUpdateSet(row))
      .execute();
  },
);

import type { Fact, FactKind } from '@berth/api';
import {
  type Joined,
  type Register,
  columnsOf,
  emptyRegister,
  join,
  joinRegister,
  registerOf,
  tagKind,
} from '../../changes/index.ts';
import { type WriteQueries, lockRows } from '../../platform/database/index.ts';

type Kind = FactKind;

interface Known {
  readonly before: Register;
  now: Register;
  readonly isStored: boolean;
  /** What was told and joined, for the case that another transaction made the row first. */
  readonly joined: Fact[];
}

const namesPerQuery = 500;

/**
 * The registers of one repository that a page is about: read and locked together, joined in memory, written together. One
 * by one, a page would take four times as long.
 */
export class RepositoryRegisters {
  readonly #tx: WriteQueries;
  readonly #registryId: number;
  readonly #repository: string;
  readonly #known = new Map<string, Known>();

  constructor(tx: WriteQueries, registryId: number, repository: string) {
    this.#tx = tx;
    this.#registryId = registryId;
    this.#repository = repository;
  }

  /** Reads those that are not known yet; locked until the transaction ends. */
  async load(kind: Kind, names: Iterable<string>): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !this.#known.has(keyOf(kind, name))).toSorted();
    for (let start = 0; start < missing.length; start += namesPerQuery) {
      const rows = await lockRows(
        this.#tx
          .selectFrom('registers')
          .selectAll()
          .where('registry_id', '=', this.#registryId)
          .where('repository', '=', this.#repository)
          .where('kind', '=', kind)
          .where('name', 'in', missing.slice(start, start + namesPerQuery))
          .orderBy('name'),
      ).execute();
      for (const row of rows) {
        const register = registerOf(row);
        this.#known.set(keyOf(kind, row.name), { before: register, now: register, isStored: true, joined: [] });
      }
    }
    for (const name of missing)
      if (!this.#known.has(keyOf(kind, name)))
        this.#known.set(keyOf(kind, name), { before: emptyRegister, now: emptyRegister, isStored: false, joined: [] });
  }

  /** Reads the tags that name a manifest, deleted or not. Returns their names. */
  async loadTagsOf(digest: string): Promise<readonly string[]> {
    const rows = await this.#tx
      .selectFrom('registers')
      .select('name')
      .where('registry_id', '=', this.#registryId)
      .where('repository', '=', this.#repository)
      .where('kind', '=', tagKind)
      .where('digest', '=', digest)
      .orderBy('name')
      .execute();
    const names = rows.map(({ name }) => name);
    await this.load('tag', names);
    // Since the look another transaction may have set one anew (PostgreSQL).
    return names.filter((name) => this.get('tag', name).set.digest === digest);
  }

  has(kind: Kind, name: string): boolean {
    return this.#known.has(keyOf(kind, name));
  }

  /** As it is with what was joined. It must have been loaded. */
  get(kind: Kind, name: string): Register {
    return this.#require(kind, name).now;
  }

  /** As it was when the transaction began. */
  before(kind: Kind, name: string): Register {
    return this.#require(kind, name).before;
  }

  join(fact: Fact): Joined {
    const known = this.#require(fact.kind, fact.name);
    const joined = join(known.now, fact);
    if (joined.isAdvanced) {
      known.now = joined.register;
      known.joined.push(fact);
    }
    return joined;
  }

  /** Writes what was joined. To be called once, before anything reads registers from the database. */
  async save(): Promise<void> {
    const absent: [string, Known][] = [];
    for (const [key, known] of this.#known) {
      if (known.now === known.before) continue;
      if (known.isStored) await this.#update(key, known.now);
      else absent.push([key, known]);
    }
    for (let start = 0; start < absent.length; start += namesPerQuery)
      await this.#insert(absent.slice(start, start + namesPerQuery));
  }

  async #update(key: string, register: Register): Promise<void> {
    const { kind, name } = nameOf(key);
    await this.#tx
      .updateTable('registers')
      .set(columnsOf(register))
      .where('registry_id', '=', this.#registryId)
      .where('repository', '=', this.#repository)
      .where('kind', '=', kind)
      .where('name', '=', name)
      .execute();
  }

  async #insert(absent: readonly (readonly [string, Known])[]): Promise<void> {
    const place = { registry_id: this.#registryId, repository: this.#repository };
    const rows = absent.map(([key, { now }]) => ({ ...place, ...nameOf(key), ...columnsOf(now) }));
    const inserted = await this.#tx
      .insertInto('registers')
      .values(rows)
      .onConflict((conflict) => conflict.columns(['registry_id', 'repository', 'kind', 'name']).doNothing())
      .returning(['kind', 'name'])
      .execute();
    if (inserted.length === rows.length) return;
    // On PostgreSQL a push may have made one since the look: what was told joins into that.
    const mine = new Set(inserted.map(({ kind, name }) => keyOf(kind, name)));
    for (const [key, known] of absent)
      if (!mine.has(key))
        for (const fact of known.joined) known.now = (await joinRegister(this.#tx, this.#registryId, fact)).register;
  }

  #require(kind: Kind, name: string): Known {
    const known = this.#known.get(keyOf(kind, name));
    if (known === undefined) throw new Error(`the register of the ${kind} ${name} was not read`);
    return known;
  }
}

function keyOf(kind: Kind, name: string): string {
  return `${kind} ${name}`;
}

function nameOf(key: string): { readonly kind: Kind; readonly name: string } {
  const space = key.indexOf(' ');
  return { kind: key.slice(0, space) as Kind, name: key.slice(space + 1) };
}

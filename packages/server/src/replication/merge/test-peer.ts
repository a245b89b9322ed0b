import assert from 'node:assert/strict';
import type { Change, Fact } from '@berth/api';
import { manifestSeal } from '../../catalog/index.ts';
import type { TestCatalog } from '../../catalog/test-catalog.ts';
import { readChanges, readSnapshot, untilSettled } from '../../changes/index.ts';
import { RegistryError } from '../../errors/index.ts';
import { openBytes } from '../../platform/sealing/index.ts';
import type { FeedWaits } from '../feed/index.ts';
import { type ChangePage, type ChangesFrom, type Peer, PeerError, type SnapshotPage, feedVersion } from '../peers/model.ts';

const hourMs = 3_600_000;

interface MemoryPeerParts {
  readonly name: string;
  readonly catalog: TestCatalog;
  readonly waits: FeedWaits;
  readonly asker: string;
  readonly isCut: () => boolean;
}

/** A region that is asked by calling the functions that its routes call. */
export class MemoryPeer implements Peer {
  readonly #parts: MemoryPeerParts;

  constructor(parts: MemoryPeerParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.name;
  }

  get address(): string {
    return `https://${this.#parts.name}.example`;
  }

  get isUp(): boolean {
    return !this.#parts.isCut();
  }

  facts(): ReturnType<Peer['facts']> {
    const now = this.#parts.catalog.clock.now();
    return this.#answer(async () => ({
      region: this.name,
      now,
      version: '1.0.0',
      feedVersion,
      registries: [],
      removed: [],
      refused: [],
      tokenKeys: [],
    }));
  }

  settings(): Promise<never> {
    return assert.fail('nobody asks for settings here');
  }

  changes(
    _registry: string,
    { after, limit, waitSeconds, withOwn = false }: ChangesFrom,
    signal: AbortSignal,
  ): Promise<ChangePage> {
    const { catalog, waits, asker } = this.#parts;
    const { database, registry, clock } = catalog;
    const look = () =>
      readChanges(database, {
        registryId: registry.id,
        after,
        limit,
        except: withOwn ? undefined : asker,
        tombstoneRetentionMs: 365 * 24 * hourMs,
        now: clock.now(),
      });
    return this.#answer(async () => {
      // On PostgreSQL other tests write to other databases of the same server, and hold the log up.
      await untilSettled(database, signal);
      const page = await waits.until(registry.id, {
        look,
        isEnough: ({ changes, next }) => changes.length > 0 || next !== after,
        waitMs: waitSeconds * 1000,
        lookEveryMs: 200,
        signal,
      });
      const changes = await Promise.all(
        page.changes.map(async (change): Promise<Change> => ({ ...change, fact: await this.#withContent(change.fact) })),
      );
      return { ...page, changes, now: clock.now() };
    });
  }

  snapshot(
    _registry: string,
    { after, limit = 200 }: { readonly after: string | undefined; readonly limit?: number },
  ): Promise<SnapshotPage> {
    const { database, registry, clock } = this.#parts.catalog;
    return this.#answer(async () => {
      const page = await readSnapshot(database, { registryId: registry.id, after, limit, now: clock.now() });
      const facts = await Promise.all(page.facts.map((fact) => this.#withContent(fact)));
      return { facts, next: page.next ?? null, cursor: page.cursor, total: page.total ?? null, now: clock.now() };
    });
  }

  resolve(_registry: string, { repository, reference }: { readonly repository: string; readonly reference: string }) {
    const stamp = { clock: 1, origin: this.name };
    return this.#answer(async () => {
      const fact = await this.#withContent({ kind: 'manifest', repository, name: reference, set: stamp });
      return fact.content === undefined ? undefined : [fact];
    });
  }

  blob(): Promise<never> {
    return assert.fail('nobody asks for blobs here');
  }

  status(): Promise<never> {
    return assert.fail('nobody asks for the status here');
  }

  async #answer<T>(answer: () => Promise<T>): Promise<T> {
    const cut = () =>
      new PeerError('unreachable', { region: this.name, message: `${this.name} cannot be reached`, remedy: 'Mend the link.' });
    if (this.#parts.isCut()) throw cut();
    try {
      const answered = await answer();
      // An answer can be lost on its way, too.
      if (this.#parts.isCut()) throw cut();
      return answered;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const kind = error.error === 'CURSOR_UNKNOWN' ? 'cursor-unknown' : error.error === 'REPLICA_TOO_OLD' ? 'too-old' : 'failed';
      throw new PeerError(kind, { region: this.name, message: error.message, remedy: '' });
    }
  }

  async #withContent(fact: Fact): Promise<Fact> {
    if (fact.kind !== 'manifest' || fact.set === undefined) return fact;
    const { database, keys, registry } = this.#parts.catalog;
    const live = await database.read
      .selectFrom('manifests')
      .innerJoin('repositories', 'repositories.id', 'manifests.repository_id')
      .select(['manifests.media_type', 'manifests.data_key_id', 'manifests.sealed_content'])
      .where('repositories.registry_id', '=', registry.id)
      .where('repositories.name', '=', fact.repository)
      .where('repositories.deleted_at', 'is', null)
      .where('manifests.digest', '=', fact.name)
      .executeTakeFirst();
    const row =
      live ??
      (await database.read
        .selectFrom('pending_manifests')
        .select(['media_type', 'data_key_id', 'sealed_content'])
        .where('registry_id', '=', registry.id)
        .where('repository', '=', fact.repository)
        .where('digest', '=', fact.name)
        .executeTakeFirst());
    if (row === undefined || row.sealed_content === null) return fact;
    const bytes = openBytes(keys.get(registry.id, row.data_key_id), manifestSeal(registry.id, fact.name), row.sealed_content);
    return { ...fact, content: { mediaType: row.media_type, sizeBytes: bytes.length, bytes: bytes.toString('base64') } };
  }
}

import assert from 'node:assert/strict';
import type { TestAnswer } from '../../catalog/test-catalog.ts';
import { manifests } from '../../catalog/test-model.ts';
import {
  type Register,
  emptyRegister,
  isTagThere,
  isThere,
  join,
  never,
  readChanges,
  untilSettled,
} from '../../changes/index.ts';
import { type TestRegion, contentOf, readSnapshotOf } from './test-regions.ts';
import { toldOfChanges } from './told.ts';

interface Place {
  /** The region. */
  readonly at: number;
  readonly repository: string;
}

/** What a client does. */
type Deed =
  | (Place & { readonly do: 'push'; readonly manifest: number; readonly tags: readonly string[] })
  | (Place & { readonly do: 'untag'; readonly tag: string })
  | (Place & { readonly do: 'delete'; readonly manifest: number })
  | (Place & { readonly do: 'delete-repository' })
  | (Place & { readonly do: 'lock-tag'; readonly tag: string; readonly flag: string; readonly isOn: boolean })
  | (Place & { readonly do: 'lock-manifest'; readonly manifest: number; readonly flag: string; readonly isOn: boolean })
  | (Place & { readonly do: 'lock-repository'; readonly isOn: boolean })
  | (Place & { readonly do: 'decide'; readonly manifest: number; readonly isPassed: boolean });

/** That, or what the network does. */
export type Step =
  | Deed
  | { readonly do: 'pull' | 'pull-again' | 'snapshot'; readonly at: number; readonly from: number; readonly size: number }
  | { readonly do: 'complete'; readonly at: number; readonly size: number }
  | { readonly do: 'wait'; readonly at: number; readonly ms: number };

const settleMs = 60_000;

/** A history of some regions: what clients did at each, and what regions heard of each other meanwhile. */
export class HistoryRun {
  readonly #regions: readonly TestRegion[];
  readonly #cursors = new Map<string, string[]>();

  constructor(regions: readonly TestRegion[], skewsMs: readonly number[]) {
    this.#regions = regions;
    for (const [position, region] of regions.entries()) region.catalog.clock.time = 1_700_000_000_000 + (skewsMs[position] ?? 0);
  }

  async step(step: Step): Promise<void> {
    const region = this.#region(step.at);
    // Two things happen in one millisecond, too.
    region.catalog.clock.time += step.do === 'wait' ? 0 : step.at;
    if ('repository' in step) {
      await this.#act(region, step);
      return;
    }
    switch (step.do) {
      case 'wait':
        for (const { catalog } of this.#regions) catalog.clock.time += step.ms;
        return;
      case 'complete':
        await region.complete(step.size, this.#othersOf(region));
        return;
      case 'snapshot':
        if (step.from !== step.at) await readSnapshotOf(this.#region(step.from), region, step.size);
        return;
      case 'pull':
      case 'pull-again':
        if (step.from !== step.at)
          await this.#pull(this.#region(step.from), region, { size: step.size, isAgain: step.do === 'pull-again' });
        return;
    }
  }

  async #act({ catalog }: TestRegion, step: Deed) {
    const name = step.repository;
    const patch = (operation: string, of: object, change: object) =>
      catalog.ask(operation, { name, ...of, body: Buffer.from(JSON.stringify(change)) });
    switch (step.do) {
      case 'push':
        return push(catalog, name, step);
      case 'untag':
        return catalog.ask('acr-delete-tag', { name, reference: step.tag });
      case 'delete':
        return catalog.ask('delete-manifest', { name, reference: digestAt(step.manifest) });
      case 'delete-repository':
        return catalog.ask('delete-repository', { name });
      case 'lock-tag':
        return patch('acr-update-tag', { reference: step.tag }, { [step.flag]: step.isOn });
      case 'lock-manifest':
        return patch('acr-update-manifest', { digest: digestAt(step.manifest) }, { [step.flag]: step.isOn });
      case 'lock-repository':
        return patch('acr-update-repository', {}, { listEnabled: step.isOn });
      case 'decide':
        return patch(
          'acr-update-manifest',
          { digest: digestAt(step.manifest) },
          { quarantineState: step.isPassed ? 'Passed' : 'Failed' },
        );
    }
  }

  async #pull(
    from: TestRegion,
    to: TestRegion,
    { size, isAgain }: { readonly size: number; readonly isAgain: boolean },
  ): Promise<boolean> {
    const key = `${from.name} ${to.name}`;
    const cursors = this.#cursors.get(key) ?? ['0.0.0'];
    this.#cursors.set(key, cursors);
    const after = (isAgain ? cursors[Math.floor(cursors.length / 2)] : cursors.at(-1)) ?? '0.0.0';
    const page = await from.peerFor(to.name).changes('', { after, limit: size, waitSeconds: 0 }, new AbortController().signal);
    const told = toldOfChanges(page.changes);
    await to.merge({ source: from.name, told, toldAt: page.now });
    if (!isAgain) cursors.push(page.next);
    return page.next !== after;
  }

  /** All links are whole, and everybody hears everything. */
  async settle(): Promise<void> {
    for (let isMoving = true; isMoving; ) {
      isMoving = false;
      for (const to of this.#regions) {
        for (const from of this.#regions)
          if (from !== to) while (await this.#pull(from, to, { size: 50, isAgain: false })) isMoving = true;
        while ((await to.complete(50, this.#othersOf(to))) > 0) isMoving = true;
      }
    }
    for (const { name, catalog, registryId } of this.#regions) {
      const left = await catalog.database.read
        .selectFrom('pending_manifests')
        .selectAll()
        .where('registry_id', '=', registryId)
        .execute();
      assert.deepEqual(
        left.map(({ digest }) => digest),
        [],
        `${name} waits for nothing any more`,
      );
      assert.deepEqual(catalog.logged, []);
    }
  }

  /** What the first region shows: by repository, manifests and tags. */
  async shown(): Promise<unknown> {
    const content = await contentOf(this.#region(0));
    return Object.fromEntries(
      Object.entries(
        content as Record<string, { manifests: { digest: string }[]; tags: { name: string; digest: string }[] }>,
      ).map(([name, { manifests: held, tags }]) => [
        name,
        { manifests: held.map(({ digest }) => digest), tags: tags.map((tag) => [tag.name, tag.digest]) },
      ]),
    );
  }

  /** The same by the rule alone: what each region did itself, joined. */
  async expected(): Promise<unknown> {
    const registers = new Map<string, Register>();
    for (const { name, catalog, registryId } of this.#regions) {
      await untilSettled(catalog.database, AbortSignal.timeout(settleMs));
      const { changes } = await readChanges(catalog.database, {
        registryId,
        after: '0.0.0',
        limit: 100_000,
        tombstoneRetentionMs: 1e15,
        now: catalog.clock.now(),
      });
      for (const { fact } of changes) {
        const stamp = fact.set ?? fact.deleted ?? Object.values(fact.attributes ?? {})[0];
        if (stamp?.origin !== name) continue;
        const key = [fact.repository, fact.kind, fact.name].join(' ');
        registers.set(key, join(registers.get(key) ?? emptyRegister, fact).register);
      }
    }
    return expectedOf(registers);
  }

  #othersOf(region: TestRegion): readonly TestRegion[] {
    return this.#regions.filter((other) => other !== region);
  }

  #region(position: number): TestRegion {
    const region = this.#regions[position];
    assert.ok(region !== undefined);
    return region;
  }
}

async function push(
  catalog: TestRegion['catalog'],
  name: string,
  { manifest: position, tags }: { readonly manifest: number; readonly tags: readonly string[] },
): Promise<TestAnswer> {
  const manifest = manifests[position];
  assert.ok(manifest !== undefined);
  for (const digest of manifest.blobs) {
    const content = contentsOf(digest);
    if (content !== undefined) await catalog.ask('start-upload', { name, query: { digest }, body: Buffer.from(content) });
  }
  for (const child of manifest.children) {
    const at = manifests.findIndex(({ digest }) => digest === child);
    await push(catalog, name, { manifest: at, tags: [] });
  }
  const [reference = manifest.digest, ...more] = tags;
  const query = new URLSearchParams(more.map((tag) => ['tag', tag]));
  const headers = { 'content-type': manifest.mediaType };
  return catalog.ask('put-manifest', { name, reference, query, headers, body: manifest.bytes });
}

function contentsOf(digest: string): string | undefined {
  return knownContents.get(digest);
}

/** Filled by whoever knows what blobs hold. */
export const knownContents = new Map<string, string>();

function digestAt(position: number): string {
  return manifests[position]?.digest ?? '';
}

function expectedOf(registers: ReadonlyMap<string, Register>): unknown {
  const shown: Record<string, { manifests: string[]; tags: [string, string][] }> = {};
  const of = (repository: string, kind: string, name: string): Register =>
    registers.get([repository, kind, name].join(' ')) ?? emptyRegister;
  for (const [key, register] of [...registers].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const [repository = '', kind = '', name = ''] = key.split(' ');
    const { deleted } = of(repository, 'repository', '') ?? { deleted: never };
    const place = shown[repository] ?? { manifests: [], tags: [] };
    if (kind === 'manifest' && isThere(register, deleted)) place.manifests.push(name);
    const { digest } = register.set;
    if (kind === 'tag' && digest !== undefined && isTagThere(register, of(repository, 'manifest', digest), deleted))
      place.tags.push([name, digest]);
    if (place.manifests.length > 0) shown[repository] = place;
  }
  return shown;
}

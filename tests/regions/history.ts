import { setTimeout as pause } from 'node:timers/promises';
import { type Content, type RandomImage, contentOf, descriptorOf, randomImage } from '@berth/testkit';
import { mediaTypes } from '@berth/oci';
import type { Chance } from '../chaos/content.ts';
import type { Region } from './region.ts';
import { type RegionName, regionNames } from './region-network.ts';
import type { RegionWorld } from './region-world.ts';

/** What a region said that it had done. */
export interface Acknowledged {
  readonly action: 'tag' | 'push' | 'untag' | 'delete' | 'delete-repository' | 'attributes';
  readonly name: string;
  readonly digest?: string;
}

export interface HistoryOptions {
  readonly world: RegionWorld;
  readonly repository: string;
  readonly chance: Chance;
  readonly clients: number;
  readonly steps: number;
  /** Regions are killed and started again, too. */
  readonly mayKill: boolean;
}

const tags = ['latest', 'v1', 'v2', 'stable'] as const;

/** Clients that do random things everywhere at once, while links break and regions die. Resolves with what was acknowledged. */
export async function runHistory(options: HistoryOptions): Promise<readonly Acknowledged[]> {
  const { chance, clients, world } = options;
  const images = Array.from({ length: 5 }, () =>
    randomImage({ layers: 1, layerBytes: chance.integer(1, 3000), seed: chance.integer(1, 2 ** 31) }),
  );
  const acknowledged: Acknowledged[] = [];
  const isDone = { value: false };
  const trouble = makeTrouble(options, isDone);
  try {
    await Promise.all(Array.from({ length: clients }, () => new HistoryClient(options, images, acknowledged).run()));
  } finally {
    isDone.value = true;
    await trouble;
  }
  await world.network.heal();
  for (const name of regionNames) if (!world.regions[name].isRunning) await world.start(name);
  return acknowledged;
}

async function makeTrouble({ world, chance, mayKill }: HistoryOptions, isDone: { readonly value: boolean }): Promise<void> {
  while (!isDone.value) {
    // The moment is what is tested: no event marks it.
    await pause(chance.integer(5, 120));
    const from = chance.pick(regionNames) ?? 'east';
    const to = chance.pick(regionNames.filter((each) => each !== from)) ?? 'west';
    const what = chance.next();
    if (what < 0.85) await world.network.set(from, to, chance.pick(['open', 'open', 'cut', 'silent', 'slow'] as const) ?? 'open');
    else if (mayKill && what < 0.95) await restart(world, from, chance);
  }
}

async function restart(world: RegionWorld, name: RegionName, chance: Chance): Promise<void> {
  await world.regions[name].kill();
  await pause(chance.integer(0, 100));
  await world.start(name);
}

class HistoryClient {
  readonly #options: HistoryOptions;
  readonly #images: readonly RandomImage[];
  readonly #acknowledged: Acknowledged[];

  constructor(options: HistoryOptions, images: readonly RandomImage[], acknowledged: Acknowledged[]) {
    this.#options = options;
    this.#images = images;
    this.#acknowledged = acknowledged;
  }

  async run(): Promise<void> {
    const { chance, steps, world } = this.#options;
    for (let step = 0; step < steps; step += 1) {
      const region = world.regions[chance.pick(regionNames) ?? 'east'];
      if (!region.isRunning) continue;
      try {
        await this.#step(region);
      } catch (error) {
        // Cut off by a kill: it may have been done, or not.
        if (region.isRunning && !isBroken(error)) throw error;
        await pause(chance.integer(1, 50));
      }
    }
  }

  /** Of a hundred steps, some forty push. */
  async #step(region: Region): Promise<void> {
    const { chance, repository } = this.#options;
    const image = chance.pick(this.#images);
    const tag = chance.pick(tags) ?? 'latest';
    if (image === undefined) return;
    const { digest } = image.manifest;
    const deleting = (path: string, done: Acknowledged): Promise<void> => this.#tell(region, { method: 'DELETE', path }, done);
    const steps: readonly (readonly [weight: number, step: () => Promise<void>])[] = [
      [35, () => this.#push(region, image, tag)],
      [7, () => this.#push(region, image)],
      [10, () => this.#pushIndex(region, tag)],
      [13, () => deleting(`/acr/v1/${repository}/_tags/${tag}`, { action: 'untag', name: tag })],
      [17, () => deleting(`/v2/${repository}/manifests/${digest}`, { action: 'delete', name: digest })],
      [3, () => deleting(`/acr/v1/${repository}`, { action: 'delete-repository', name: '' })],
      [8, () => this.#lock(region, `_tags/${tag}`, tag)],
      [7, () => this.#lock(region, `_manifests/${digest}`, digest)],
    ];
    let left = chance.integer(
      0,
      steps.reduce((sum, [weight]) => sum + weight, 0),
    );
    for (const [weight, step] of steps) {
      left -= weight;
      if (left < 0) return step();
    }
  }

  async #push(region: Region, image: RandomImage, tag?: string): Promise<void> {
    for (const blob of [image.config, ...image.layers]) if (!(await this.#pushBlob(region, blob))) return;
    const { digest } = image.manifest;
    await this.#put(
      region,
      image.manifest,
      tag === undefined ? { action: 'push', name: digest } : { action: 'tag', name: tag, digest },
    );
  }

  /** False: the repository was deleted meanwhile, and its uploads with it. */
  async #pushBlob({ client }: Region, { bytes, digest }: Content): Promise<boolean> {
    const started = await client.request('POST', `/v2/${this.#options.repository}/blobs/uploads/`);
    if (started.status !== 202) throw new Error(`an upload is answered ${started.status}: ${started.body}`);
    const location = started.headers.location ?? '';
    const path = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;
    const ended = await client.request('PUT', path, { body: bytes, headers: { 'content-type': 'application/octet-stream' } });
    if (ended.status === 201) return true;
    if (ended.status === 404 || String(ended.body).includes('deleted while it was pushed')) return false;
    throw new Error(`an upload is answered ${ended.status}: ${ended.body}`);
  }

  /** Of two images that it pushes first. */
  async #pushIndex(region: Region, tag: string): Promise<void> {
    const { chance } = this.#options;
    const children = [chance.pick(this.#images), chance.pick(this.#images)].flatMap((image) => image ?? []);
    for (const child of children) await this.#push(region, child);
    const mediaType = mediaTypes.ociIndex;
    const manifests = children.map(({ manifest }) => descriptorOf(manifest));
    const index = contentOf(mediaType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })));
    await this.#put(region, index, { action: 'tag', name: tag, digest: index.digest });
  }

  async #put(region: Region, manifest: RandomImage['manifest'], done: Acknowledged): Promise<void> {
    const path = `/v2/${this.#options.repository}/manifests/${done.name}`;
    const body = { body: manifest.bytes, headers: { 'content-type': manifest.mediaType } };
    await this.#tell(region, { method: 'PUT', path, ...body }, done);
  }

  async #lock(region: Region, path: string, name: string): Promise<void> {
    const { chance, repository } = this.#options;
    const body = JSON.stringify({ writeEnabled: chance.next() < 0.8, deleteEnabled: chance.next() < 0.8 });
    const headers = { 'content-type': 'application/json' };
    await this.#tell(
      region,
      { method: 'PATCH', path: `/acr/v1/${repository}/${path}`, body, headers },
      { action: 'attributes', name },
    );
  }

  /** Refused because of a lock, or because it is not there: that is an answer, too. */
  async #tell(region: Region, { method, path, ...request }: Told, done: Acknowledged): Promise<void> {
    const answer = await region.client.request(method, path, request);
    if (answer.status < 300) this.#acknowledged.push(done);
    else if (answer.status !== 404 && answer.status !== 405)
      throw new Error(`${region.name} answers ${method} ${path} with ${answer.status}: ${answer.body}`);
  }
}

interface Told {
  readonly method: string;
  readonly path: string;
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
}

function isBroken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^E(CONN|PIPE)/.test(String(error.code));
}

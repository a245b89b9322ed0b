import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { type BlobRecipe, type Chance, bytesOf, digestOf, manifestOf, manifestType } from './content.ts';
import type { RepositoryLedger } from './ledger.ts';
import { ConnectionLost, type ServerConnection } from './server-connection.ts';

/** One client that pushes, tags, deletes and mounts in its own repository until its server dies. */
export class ChaosWorker {
  readonly ledger: RepositoryLedger;
  readonly #neighbours: readonly RepositoryLedger[];
  readonly #chance: Chance;
  readonly #progress: EventEmitter;
  acknowledged = 0;

  constructor(options: {
    readonly ledger: RepositoryLedger;
    readonly neighbours: readonly RepositoryLedger[];
    readonly chance: Chance;
    readonly progress: EventEmitter;
  }) {
    this.ledger = options.ledger;
    this.#neighbours = options.neighbours;
    this.#chance = options.chance;
    this.#progress = options.progress;
  }

  /** Works until the connection is lost. Anything but a lost connection or an expected refusal is a failure. */
  async run(server: ServerConnection): Promise<void> {
    try {
      for (;;) await this.#step(server);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    }
  }

  async #step(server: ServerConnection): Promise<void> {
    const roll = this.#chance.next();
    if (roll < 0.6) await this.#push(server);
    else if (roll < 0.7) await this.#untag(server);
    else if (roll < 0.82) await this.#deleteManifest(server);
    else if (roll < 0.9) await this.#abandonUpload(server);
    else
      assert.equal(
        (
          await server.request('POST', '/berth/v1/collections', {
            headers: { 'content-type': 'application/json' },
            body: Buffer.from('{}'),
          })
        ).status,
        200,
      );
  }

  async #push(server: ServerConnection): Promise<void> {
    const blobs = new Map<string, BlobRecipe>();
    const count = this.#chance.integer(1, 4);
    for (let index = 0; index < count; index += 1) {
      const [digest, recipe] = (await this.#mount(server)) ?? (await this.#upload(server));
      blobs.set(digest, recipe);
    }
    const bytes = manifestOf([...blobs].map(([digest, recipe]) => ({ digest, recipe })));
    const digest = digestOf(bytes);
    const tag = `t${this.#chance.integer(0, 12)}`;
    const before = this.ledger.snapshot(tag, digest);
    this.ledger.beginPush(tag, digest, { bytes, blobs });
    const answer = await server.request('PUT', `/v2/${this.ledger.name}/manifests/${tag}`, {
      headers: { 'content-type': manifestType },
      body: Buffer.from(bytes),
    });
    if (answer.status === 404) {
      // A collection may take a blob whose delay passed before the manifest came: a refusal that names it.
      assert.match(answer.body.toString(), /MANIFEST_BLOB_UNKNOWN/);
      this.ledger.refusePush(tag, digest, before);
      return;
    }
    assert.equal(answer.status, 201, answer.body.toString());
    this.ledger.endPush(tag, digest);
    this.acknowledged += 1;
    this.#progress.emit('pushed');
  }

  async #upload(server: ServerConnection): Promise<[string, BlobRecipe]> {
    const recipe = {
      seed: this.#chance.integer(0, 2 ** 31),
      sizeBytes: this.#chance.integer(0, this.#chance.next() < 0.2 ? 3_000_000 : 40_000),
    };
    const bytes = bytesOf(recipe);
    const digest = digestOf(bytes);
    const start = await server.request('POST', `/v2/${this.ledger.name}/blobs/uploads/`);
    assert.equal(start.status, 202, start.body.toString());
    let location = start.headers.get('location') ?? '';
    const cut = this.#chance.integer(0, bytes.length + 1);
    for (const chunk of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      const sent = await server.request('PATCH', location, {
        headers: { 'content-type': 'application/octet-stream' },
        body: Buffer.from(chunk),
      });
      assert.equal(sent.status, 202, sent.body.toString());
      location = sent.headers.get('location') ?? '';
    }
    const end = await server.request('PUT', `${location}?digest=${digest}`);
    assert.equal(end.status, 201, end.body.toString());
    return [digest, recipe];
  }

  /** Mounts a blob of a neighbour's surviving manifest; undefined when the registry did not mount it. */
  async #mount(server: ServerConnection): Promise<[string, BlobRecipe] | undefined> {
    if (this.#chance.next() < 0.5) return undefined;
    const source = this.#chance.pick(this.#neighbours);
    const manifest = source?.contents.get(this.#chance.pick(source.certain()) ?? '');
    const blob = this.#chance.pick([...(manifest?.blobs ?? [])]);
    if (source === undefined || blob === undefined) return undefined;
    const answer = await server.request('POST', `/v2/${this.ledger.name}/blobs/uploads/?mount=${blob[0]}&from=${source.name}`);
    assert.ok(answer.status === 201 || answer.status === 202, answer.body.toString());
    return answer.status === 201 ? blob : undefined;
  }

  async #untag(server: ServerConnection): Promise<void> {
    const tag = this.#chance.pick([...this.ledger.tags.keys()]);
    if (tag === undefined) return;
    this.ledger.beginUntag(tag);
    const answer = await server.request('DELETE', `/v2/${this.ledger.name}/manifests/${tag}`);
    assert.ok(answer.status === 202 || answer.status === 404, answer.body.toString());
    this.ledger.endUntag(tag);
  }

  async #deleteManifest(server: ServerConnection): Promise<void> {
    const digest = this.#chance.pick(this.ledger.certain());
    if (digest === undefined) return;
    this.ledger.beginDelete(digest);
    const answer = await server.request('DELETE', `/v2/${this.ledger.name}/manifests/${digest}`);
    assert.equal(answer.status, 202, answer.body.toString());
    this.ledger.endDelete(digest);
  }

  async #abandonUpload(server: ServerConnection): Promise<void> {
    const start = await server.request('POST', `/v2/${this.ledger.name}/blobs/uploads/`);
    assert.equal(start.status, 202);
    await server.request('PATCH', start.headers.get('location') ?? '', {
      body: Buffer.from(bytesOf({ seed: 1, sizeBytes: 5000 })),
    });
  }
}

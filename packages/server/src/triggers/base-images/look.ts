import { createHash } from 'node:crypto';
import { RegistryError } from '../../errors/index.ts';
import { Recent } from '../../platform/recent.ts';
import {
  type RemoteCredentials,
  RemoteError,
  RemoteRepository,
  parseRegistryAddress,
} from '../../platform/registry-client/index.ts';
import type { Task } from '../../tasks/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { TriggersContext } from '../triggers-context.ts';
import { imagesOf } from './images-of.ts';
import { registryAt } from './model.ts';
import type { StoredBaseImage } from './transactions.ts';

/** What a base image is now, or why nobody can tell. */
export type Look = { readonly digest: string } | { readonly problem: string; readonly retryAfterMs?: number | undefined };

/** What a base image is, or was. */
export interface PastImage {
  readonly row: StoredBaseImage;
  readonly digest: string;
}

interface SeenDigest {
  readonly digest: string;
  readonly at: number;
}

/** A few hundred bytes each. */
const maxSeen = 10_000;

/** Looks at base images in other registries. What everybody may read is asked for once for all tasks that are built on it. */
export class BaseImageLooks {
  readonly #context: TriggersContext;
  readonly #seen = new Recent<SeenDigest>({ maxEntries: maxSeen });
  /** Of what everybody may read: a digest stands for the same for ever. Who asks for what another asks for waits with it. */
  readonly #images = new Recent<Promise<string | undefined>>({ maxEntries: maxSeen });

  constructor(context: TriggersContext) {
    this.#context = context;
  }

  /** @throws the signal's reason */
  async look(registry: Registry, task: Task, row: StoredBaseImage): Promise<Look> {
    try {
      const credentials = await this.#credentials(registry, task, row.server);
      return { digest: await this.#digest(row, credentials) };
    } catch (error) {
      this.#context.signal.throwIfAborted();
      if (error instanceof RemoteError) return { problem: error.message, retryAfterMs: error.retryAfterMs };
      if (error instanceof RegistryError) return { problem: error.message };
      throw error;
    }
  }

  /**
   * One short text for the images that a digest in another registry stands for (`imagesOf`); undefined: they are not known, for
   * whatever reason. @throws the signal's reason
   */
  async images(registry: Registry, task: Task, past: PastImage): Promise<string | undefined> {
    const credentials = await this.#credentials(registry, task, past.row.server).catch(unknownIfRefused);
    if (credentials !== undefined) return this.#askImages(past, credentials);
    const key = `${past.row.server}/${past.row.repository}@${past.digest}`;
    const known = this.#images.get(key);
    if (known !== undefined) return known;
    const asked = this.#askImages(past, undefined);
    this.#images.set(key, asked);
    const images = await asked.catch((error: unknown) => {
      this.#images.delete(key);
      throw error;
    });
    if (images === undefined) this.#images.delete(key);
    return images;
  }

  async #askImages({ row, digest }: PastImage, credentials: RemoteCredentials | undefined): Promise<string | undefined> {
    const { signal } = this.#context;
    try {
      const { bytes, mediaType } = await this.#repository(row, credentials).manifest(digest, signal);
      if (mediaType === undefined) return undefined;
      return createHash('sha256').update(imagesOf({ digest, mediaType, bytes }).join()).digest('base64url');
    } catch (error) {
      signal.throwIfAborted();
      return unknownIfRefused(error);
    }
  }

  async #digest(row: StoredBaseImage, credentials: RemoteCredentials | undefined): Promise<string> {
    const { registries, digestFor } = this.#context;
    const { server, repository, tag } = row;
    const home = registryAt(server, registries.all());
    if (home !== undefined) return digestFor(home, { repository, tag }, credentials);
    return credentials === undefined ? this.#publicDigest(row) : this.#ask(row, credentials);
  }

  async #publicDigest(row: StoredBaseImage): Promise<string> {
    const { clock, limits } = this.#context;
    const key = `${row.server}/${row.repository}:${row.tag}`;
    const seen = this.#seen.get(key);
    const now = clock.now();
    // Half an interval: each task still learns of it within its own.
    if (seen !== undefined && seen.at <= now && now - seen.at < limits.pollIntervalMs / 2) return seen.digest;
    const digest = await this.#ask(row, undefined);
    this.#seen.set(key, { digest, at: now });
    return digest;
  }

  #ask(row: StoredBaseImage, credentials: RemoteCredentials | undefined): Promise<string> {
    const known = row.current_digest ?? row.recorded_digest;
    return this.#repository(row, credentials).digest(row.tag, known, this.#context.signal);
  }

  #repository(row: StoredBaseImage, credentials: RemoteCredentials | undefined): RemoteRepository {
    const { outbound, clock } = this.#context;
    const address = parseRegistryAddress(row.server);
    if (address === undefined) throw new RemoteError('unusable', `${row.server} is no address of a registry`);
    // Once: whoever is busy is asked again at another time, not waited for.
    const patience = { outbound, clock, wait: async () => undefined, maxTries: 1 };
    return new RemoteRepository({ patience, address, repository: row.repository, credentials });
  }

  /** Those that runs of the task sign in with. @throws RegistryError */
  async #credentials(registry: Registry, task: Task, server: string): Promise<RemoteCredentials | undefined> {
    const { tasks, registries } = this.#context;
    const isServer = (text: string): boolean => {
      const home = registryAt(text, registries.all());
      return (home === undefined ? parseRegistryAddress(text)?.host : home.loginServer.toLowerCase()) === server;
    };
    if (!Object.keys(task.properties.credentials?.customRegistries ?? {}).some(isServer)) return undefined;
    const { request } = await tasks.runOf({ registry, task, requestedBy: 'trigger' });
    const login = request.logins?.find((each) => isServer(each.server));
    return login && { username: login.username, password: login.password };
  }
}

/** Then the digest counts. */
function unknownIfRefused(error: unknown): undefined {
  if (error instanceof RemoteError || error instanceof RegistryError) return undefined;
  throw error;
}

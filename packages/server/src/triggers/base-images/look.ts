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
import { registryAt } from './model.ts';
import type { StoredBaseImage } from './transactions.ts';

/** What a base image is now, or why nobody can tell. */
export type Look = { readonly digest: string } | { readonly problem: string; readonly retryAfterMs?: number | undefined };

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

  async #ask(row: StoredBaseImage, credentials: RemoteCredentials | undefined): Promise<string> {
    const { outbound, clock, signal } = this.#context;
    const address = parseRegistryAddress(row.server);
    if (address === undefined) throw new RemoteError('unusable', `${row.server} is no address of a registry`);
    // Once: whoever is busy is asked again at another time, not waited for.
    const patience = { outbound, clock, wait: async () => undefined, maxTries: 1 };
    const remote = new RemoteRepository({ patience, address, repository: row.repository, credentials });
    return remote.digest(row.tag, row.current_digest ?? row.recorded_digest, signal);
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

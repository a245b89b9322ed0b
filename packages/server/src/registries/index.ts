import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { ManagedKeyRing } from '../platform/keys/index.ts';
import type { Registry } from '../tenancy/index.ts';
import { findRegistry } from './queries.ts';
import { ensureRegistry } from './transactions.ts';

export { type FirstRun, firstRunFileName, removeFirstRun, writeFirstRun } from './first-run-file.ts';

export interface Registries {
  readonly local: Registry;
  /** The registry that a host name picks; an unknown one is the default registry. */
  resolve(host: string): Registry;
}

/** The registry that every deployment has. */
const defaultRegistryName = 'local';

/** Loads the registries; makes the default one with its first data key when missing. */
export async function openRegistries(options: {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: Clock;
  /** Asked for with each request: a port that the system chooses is known only once the server listens. */
  readonly loginServer: () => string;
  readonly isAnonymousPullEnabled: boolean;
}): Promise<Registries> {
  const { database, keys, clock, loginServer, isAnonymousPullEnabled } = options;
  const existing = await findRegistry(database.read, defaultRegistryName);
  // Most starts change nothing, and so need not wait for the database's writer.
  const isSettled = existing !== undefined && (existing.anonymous_pull === 1) === isAnonymousPullEnabled;
  const id = isSettled
    ? existing.id
    : await database.write(ensureRegistry, { name: defaultRegistryName, isAnonymousPullEnabled, now: clock.now() });
  // A crash may have come between the registry and its key; content cannot exist without one.
  if (!keys.hasKey(id)) await keys.addDataKey(id);
  const local: Registry = {
    id,
    name: defaultRegistryName,
    get loginServer() {
      return loginServer();
    },
    isAnonymousPullEnabled,
  };
  return { local, resolve: () => local };
}

import { createServer, type Server, connect } from 'node:net';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ManagerClient, type StartedRegistry, type TestEngine, readOwner, startRegistry } from '@berth/testkit';

export interface Region {
  readonly name: string;
  readonly registry: StartedRegistry;
  readonly manager: ManagerClient;
  /** In the resource manager: the default registry. */
  readonly path: string;
}

const patienceMs = 60_000;

/** Two deployments that are regions of one another, each reached by a port that is known before either starts. */
export async function startRegions(
  t: TestContext,
  engine: TestEngine,
  names: readonly [string, string],
): Promise<readonly Region[]> {
  const doors = await Promise.all(names.map(async (name) => ({ name, ...(await openDoor(t)) })));
  const peers = doors.map(({ name, address }) => `${name}=${address}`).join(',');
  const peerKey = 'a key that two regions of a test share, for a while';
  const regions: Region[] = [];
  for (const { name, lead } of doors) {
    const location = await engine.createLocation(t);
    const database: Record<string, string> = 'url' in location ? { database: location.url } : {};
    const registry = await startRegistry({
      settings: { region: name, peers, peerKey: peerKey.replaceAll(',', ''), ...database },
    });
    const manager = new ManagerClient(registry.url, await readOwner(registry.dataDir));
    lead(Number(new URL(registry.url).port));
    t.after(async () => {
      manager[Symbol.dispose]();
      await registry.stop();
    });
    regions.push({ name, registry, manager, path: manager.provider('registries/local') });
  }
  return regions;
}

/** Looks until it is so. */
export async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + patienceMs; performance.now() < end; await delay(100)) if (await look()) return;
  throw new Error(`in ${patienceMs / 1000} s it did not come to be that ${what}`);
}

/** A port that hands on to another one, once that is known. */
async function openDoor(t: TestContext): Promise<{ readonly address: string; readonly lead: (port: number) => void }> {
  let target: number | undefined;
  const server: Server = createServer((near) => {
    if (target === undefined) return near.destroy();
    const far = connect(target, '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the door does not listen');
  return { address: `http://127.0.0.1:${address.port}`, lead: (port) => (target = port) };
}

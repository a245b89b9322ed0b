import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  type ManagerAnswer,
  ManagerClient,
  RegistryClient,
  type TestEngine,
  forEachEngine,
  readOwner,
  startRegistry,
} from '@berth/testkit';

/** A deployment that listens, its owner and its default registry's admin. */
export interface Management {
  readonly url: string;
  readonly host: string;
  readonly dataDir: string;
  readonly manager: ManagerClient;
  readonly client: RegistryClient;
  /** A name of a registry that nobody has used. */
  readonly newName: () => string;
}

type Check = (management: Management) => Promise<void>;

/** Runs checks against one deployment on each database. Each check makes the registries that it changes. */
export function managementTests(
  title: string,
  define: (check: (name: string, run: Check) => void) => void,
  options: { readonly settings?: Readonly<Record<string, string>>; readonly isOnce?: boolean } = {},
): void {
  const checks: { readonly name: string; readonly run: Check }[] = [];
  define((name, run) => checks.push({ name, run }));
  const run = (engine: TestEngine): void => {
    if (options.isOnce === true && engine.name !== 'sqlite') return;
    test(title, async (t) => {
      const location = await engine.createLocation(t);
      const database = 'url' in location ? { database: location.url } : {};
      const registry = await startRegistry({ settings: { ...oneMorePeer, ...options.settings, ...database } });
      const { url, host, dataDir, username, password } = registry;
      const manager = new ManagerClient(url, await readOwner(dataDir));
      const client = new RegistryClient({ url, username, password });
      t.after(async () => {
        manager[Symbol.dispose]();
        client[Symbol.dispose]();
        await registry.stop();
      });
      const newName = (): string => `r${randomUUID().replaceAll('-', '')}`;
      for (const check of checks) await t.test(check.name, () => check.run({ url, host, dataDir, manager, client, newName }));
    });
  };
  forEachEngine(run);
}

/** A member of a JSON document: `properties.policies.retentionPolicy.days`, `value.0.name`. */
export function member(answer: ManagerAnswer, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], answer.json);
}

export function assertAnswered(answer: ManagerAnswer, ...statuses: readonly number[]): ManagerAnswer {
  assert.ok(
    statuses.includes(answer.status),
    `expected ${statuses.join(' or ')}, got ${answer.status} ${answer.body.toString().slice(0, 500)}`,
  );
  return answer;
}

/** A region that registries may be replicated to; it does not answer. */
const oneMorePeer = { peers: 'west1=http://127.0.0.1:1', peerKey: 'a key that no other region has of 32 characters' } as const;

/** An error in the resource manager's envelope (acr-api 3.1). */
export function assertArmError(answer: ManagerAnswer, status: number, code: string, target?: string): void {
  assertAnswered(answer, status);
  assert.equal(member(answer, 'error.code'), code, answer.body.toString().slice(0, 300));
  assert.equal(member(answer, 'error.target'), target);
  assert.ok(String(member(answer, 'error.message')).length > 10);
  assert.match(String(answer.headers['x-ms-correlation-request-id']), /^[A-Za-z0-9-]{8,}$/);
}

/** Makes a registry and returns its path. */
export async function createRegistry(
  { manager, newName }: Management,
  properties: object = {},
  sku = 'Premium',
): Promise<string> {
  const path = manager.provider(`registries/${newName()}`);
  assertAnswered(await manager.call('PUT', path, { location: 'local', sku: { name: sku }, properties }), 201);
  return path;
}

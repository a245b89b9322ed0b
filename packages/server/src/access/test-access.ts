import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { TestEngine } from '@berth/testkit';
import { RegistryError } from '../errors/index.ts';
import type { RouteRequest } from '../http/route.ts';
import type { Database } from '../platform/database/index.ts';
import { type ManagedKeyRing, WrappingKeyFile, openKeyRing } from '../platform/keys/index.ts';
import { openRegistries } from '../registries/index.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import type { FirstCredentials } from './first-admin.ts';
import { type Access, createAccess } from './index.ts';

/** What the tests of this feature need: a registry on a real database, one or more processes that serve it, and a clock. */
export interface AccessBench {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: { time: number; now(): number };
  readonly registry: Registry;
  /** What was announced and not retracted. */
  readonly announced: FirstCredentials[];
  /** Starts a process: what it knows, it knows for itself. */
  start(options?: { readonly chosenPassword?: string }): Promise<TestProcess>;
}

export async function setUpAccess(engine: TestEngine, t: TestContext): Promise<AccessBench> {
  const database = await engine.open(t, { transactionsModule: new URL('./test-transactions.ts', import.meta.url) });
  const folder = await mkdtemp(join(tmpdir(), 'berth-access-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const clock = { time: 1_800_000_000_000, now: () => clock.time };
  const file = new WrappingKeyFile(join(folder, 'wrapping-keys.json'));
  const keys = await openKeyRing({ database, file, clock });
  const loginServer = (): string => 'local.example';
  const { local } = await openRegistries({ database, keys, clock, loginServer, isAnonymousPullEnabled: false, region: 'test' });
  const announced: FirstCredentials[] = [];
  const start = async ({ chosenPassword }: { readonly chosenPassword?: string } = {}): Promise<TestProcess> => {
    const access = await createAccess({ database, keys, clock, tenantId: randomUUID() });
    let mine: FirstCredentials | undefined;
    await access.ensureAdmin(local, {
      chosenPassword,
      announce: async (first) => {
        mine = first;
        announced.push(first);
      },
      retract: async () => {
        announced.splice(
          announced.findIndex((each) => each === mine),
          1,
        );
      },
    });
    return new TestProcess(access, local);
  };
  return { database, keys, clock, registry: local, announced, start };
}

export interface Tokens {
  readonly access_token: string;
  readonly token: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly refresh_token?: string;
}

/** A process that signs people in. */
export class TestProcess {
  readonly access: Access;
  readonly #registry: Registry;

  constructor(access: Access, registry: Registry) {
    this.access = access;
    this.#registry = registry;
  }

  /** Who it is, with an Authorization header. */
  async who(authorization: string | undefined, { address = '10.0.0.1', registry = this.#registry } = {}): Promise<Principal> {
    return this.access.authenticate({ authorization }, address, registry);
  }

  /** The principal if it is known without waiting. */
  known(authorization: string): Principal | undefined {
    const found = this.access.authenticate({ authorization }, '10.0.0.1', this.#registry);
    return found instanceof Promise ? undefined : found;
  }

  getToken(authorization: string | undefined, query = ''): Promise<Tokens> {
    return this.call('get-token', { headers: { authorization }, query: new URLSearchParams(query) }) as Promise<Tokens>;
  }

  postToken(form: Readonly<Record<string, string>>, registry = this.#registry): Promise<Tokens> {
    const body = Readable.from([Buffer.from(new URLSearchParams(form).toString())]);
    return this.call('post-token', { body, registry }) as Promise<Tokens>;
  }

  async regenerate(slot: 'password' | 'password2'): Promise<string> {
    const { value } = (await this.call('regenerate-password', { params: { slot } })) as { value: string };
    return value;
  }

  /** Answers a request of this feature's operations that the edge would let through; returns the JSON of the reply. */
  async call(operation: string, request: Partial<RouteRequest>): Promise<unknown> {
    const route = this.access.routes.find((each) => each.operation.id === operation);
    assert.ok(route !== undefined, operation);
    const given = {
      registry: this.#registry,
      clientAddress: '10.0.0.1',
      params: {},
      query: new URLSearchParams(),
      headers: {},
      body: Readable.from([]),
      note: () => undefined,
    };
    const reply = await route.handle({ ...given, ...request } as RouteRequest);
    assert.equal(reply.status, 200);
    assert.ok(typeof reply.body === 'object' && 'json' in reply.body);
    return reply.body.json;
  }
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

export const bearer = (tokens: Tokens): string => `Bearer ${tokens.access_token}`;

/** Rejects with this row of the catalogue; resolves with the error. */
export async function refusal(promise: Promise<unknown>, name = 'UNAUTHORIZED'): Promise<RegistryError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RegistryError, `expected ${name}, got ${String(error)}`);
  assert.equal(error.error, name);
  return error;
}

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { type ClientAnswer, RegistryClient, type TestEngine, forEachEngine, startRegistry } from '@berth/testkit';

/** A registry that listens, and a client that is signed in. */
export interface Protocol {
  readonly url: string;
  readonly client: RegistryClient;
  readonly username: string;
  readonly password: string;
  /** A name that nobody has used. */
  readonly newRepository: () => string;
}

type Check = (protocol: Protocol) => Promise<void> | void;
export type DefineCheck = (name: string, run: Check) => void;

/** As clients do it, and the other of each. */
const variants = [
  { engine: 'sqlite', scheme: 'bearer' },
  { engine: 'postgres', scheme: 'basic' },
] as const;

export interface ProtocolTestsOptions {
  /** Settings of the registry by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Once, where neither database nor way to sign in can matter. */
  readonly isOnce?: boolean;
}

/**
 * Runs checks against a listening registry: on SQLite with Bearer, on PostgreSQL with Basic. One registry serves all checks
 * of a variant, so each check takes a new repository.
 */
export function protocolTests(title: string, define: (check: DefineCheck) => void, options: ProtocolTestsOptions = {}): void {
  const checks: { readonly name: string; readonly run: Check }[] = [];
  define((name, run) => checks.push({ name, run }));
  const wanted = options.isOnce === true ? variants.slice(0, 1) : variants;
  const run = (engine: TestEngine): void => {
    for (const { scheme } of wanted.filter((variant) => variant.engine === engine.name)) {
      test(`${title}, ${scheme}`, async (t) => {
        const location = await engine.createLocation(t);
        const database = 'url' in location ? { database: location.url } : {};
        const registry = await startRegistry({ settings: { ...options.settings, ...database } });
        const { url, username, password } = registry;
        const client = new RegistryClient({ url, username, password, scheme });
        t.after(async () => {
          client[Symbol.dispose]();
          await registry.stop();
        });
        const newRepository = (): string => `protocol/${randomUUID()}`;
        for (const check of checks) await t.test(check.name, () => check.run({ url, username, password, client, newRepository }));
      });
    }
  };
  forEachEngine(run);
}

/** The answer's status, and in the message of a failure what the registry said. */
export function assertStatus(answer: ClientAnswer, ...expected: readonly number[]): void {
  const said =
    answer.headers['content-type']?.startsWith('application/json') === true ? answer.body.toString().slice(0, 300) : '';
  assert.ok(expected.includes(answer.status), `expected ${expected.join(' or ')}, got ${answer.status} ${said}`);
}

/** An error in the envelope of the specification ("Error Codes"). */
export function assertError(answer: ClientAnswer, status: number, code: string): void {
  assertStatus(answer, status);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  const { errors } = JSON.parse(answer.body.toString()) as { errors: { code: string; message: string }[] };
  assert.equal(errors[0]?.code, code, answer.body.toString().slice(0, 300));
  assert.ok(errors[0].message.length > 0);
}

/** The path of a Location header. Session state must not lie in its query: some clients drop it. */
export function locationOf(answer: ClientAnswer): string {
  const { location } = answer.headers;
  assert.ok(location !== undefined, 'the answer has no Location');
  const url = new URL(location, 'http://registry.invalid');
  assert.equal(url.search, '', `the Location has a query: ${location}`);
  return url.pathname;
}

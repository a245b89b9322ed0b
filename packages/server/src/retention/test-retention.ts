import type { TestContext } from 'node:test';
import type { TestEngine } from '@berth/testkit';
import { pino } from 'pino';
import { type TestCatalog, garbageDelayMs, image, openTestCatalog } from '../catalog/test-catalog.ts';
import type { Registry, RegistryPolicies } from '../tenancy/index.ts';
import { type LastPulls, type RetentionContext } from './model.ts';
import { type PurgeRequest, purge } from './purge.ts';
import type { SweepAnswer } from './sweep-request.ts';

export const dayMs = 86_400_000;

/** A catalog, and what retention works with beside it. */
export interface TestRetention {
  readonly catalog: TestCatalog;
  readonly context: RetentionContext;
  /** Pushes an image of its own under tags, after some days have passed. Answers with its digest. */
  pushImage(
    repository: string,
    tags: readonly string[],
    options?: { readonly subject?: string; readonly content?: string },
  ): Promise<string>;
  /** Lets time pass. */
  days(count: number): void;
  purge(request: PurgeRequest): Promise<SweepAnswer>;
  /** What is left: by repository, tags and digests. */
  tags(repository: string): Promise<readonly string[]>;
  has(repository: string, reference: string): Promise<boolean>;
  lock(repository: string, what: { readonly reference?: string; readonly digest?: string }, flags: object): Promise<void>;
  registryWith(policies: Partial<RegistryPolicies>): Registry;
}

const transactionsModule = new URL('./test-transactions.ts', import.meta.url);

export async function openTestRetention(
  engine: TestEngine,
  t: TestContext,
  given: { readonly lastPulls?: LastPulls } = {},
): Promise<TestRetention> {
  const catalog = await openTestCatalog(engine, t, { database: await engine.open(t, { transactionsModule }) });
  const { database, clock, registry } = catalog;
  const log = pino({ level: 'error' }, { write: (line: string) => void catalog.logged.push(line) });
  const context: RetentionContext = {
    database,
    clock,
    log,
    garbageDelayMs,
    lastPulls: given.lastPulls ?? (async () => new Map()),
  };
  let count = 0;
  return {
    catalog,
    context,
    pushImage: async (repository, tags, { subject, content } = {}) => {
      count += 1;
      await catalog.pushBlob(repository, 'config');
      await catalog.pushBlob(repository, 'layer');
      const more = {
        annotations: { number: content ?? String(count) },
        ...(subject !== undefined && {
          subject: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: subject, size: 2 },
        }),
      };
      const [first, ...others] = tags;
      const query = new URLSearchParams(others.map((tag) => ['tag', tag]));
      return catalog.push(repository, image('config', ['layer'], more), first, query);
    },
    days: (passed) => {
      clock.time += passed * dayMs;
    },
    purge: (request) => purge(context, request, { registryId: registry.id, signal: t.signal }),
    tags: async (name) => {
      const { json } = await catalog.ask('list-tags', { name });
      return (json as { tags: string[] }).tags;
    },
    has: async (name, reference) => (await catalog.ask('head-manifest', { name, reference })).status === 200,
    lock: async (name, what, flags) => {
      const operation =
        what.reference !== undefined
          ? 'acr-update-tag'
          : what.digest !== undefined
            ? 'acr-update-manifest'
            : 'acr-update-repository';
      const headers = { 'content-type': 'application/json' };
      const { status, message } = await catalog.ask(operation, {
        name,
        ...what,
        headers,
        body: Buffer.from(JSON.stringify(flags)),
      });
      if (status !== 200) throw new Error(message);
    },
    registryWith: (policies) => ({ ...registry, policies: { ...registry.policies, ...policies } }),
  };
}

/** `untag app:v1` of each decision, sorted. */
export function taken({ decisions }: SweepAnswer): readonly string[] {
  return decisions
    .map(({ action, repository, name }) => `${action} ${repository}${action === 'untag' ? ':' : '@'}${name}`)
    .toSorted();
}

import type { Change } from '@berth/api';
import { type ChangesRead, readChanges } from '../../changes/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { factsWithContent } from './facts-with-content.ts';
import type { FeedContext } from './feed-context.ts';

export interface ChangesAsked {
  readonly after: string;
  readonly limit: number;
  readonly waitSeconds: number;
  readonly except: string | undefined;
}

/** In PostgreSQL a change may become readable only after its ring: when what began before it has ended. */
const lookEveryMs = { sqlite: 5_000, postgres: 1_000 } as const;

/** What changed in a registry, with the bytes of manifests; waits a while when nothing did. @throws CURSOR_UNKNOWN, REPLICA_TOO_OLD, TOOMANYREQUESTS */
export async function tellChanges(
  context: FeedContext,
  registry: Registry,
  { signal, ...asked }: ChangesAsked & { readonly signal: AbortSignal },
): Promise<ChangesRead> {
  const { database, clock, tombstoneRetentionMs, waits } = context;
  const { except } = asked;
  let after = asked.after;
  const read = (from: string, limit: number): Promise<ChangesRead> =>
    readChanges(database, { registryId: registry.id, after: from, limit, except, tombstoneRetentionMs, now: clock.now() });
  const page = await waits.until(registry.id, {
    look: async () => {
      const found = await read(after, asked.limit);
      // What is to be left out need not be passed over again.
      if (found.changes.length === 0) after = found.next;
      return found;
    },
    isEnough: ({ changes }) => changes.length > 0,
    waitMs: asked.waitSeconds * 1000,
    lookEveryMs: lookEveryMs[database.engine],
    signal: AbortSignal.any([signal, context.signal]),
  });
  const renewed = new Set(page.changes.filter(({ action }) => action === 'renew').map(({ fact }) => fact));
  const told = page.changes.map(({ fact }) => fact);
  // Who has a renewed manifest needs no bytes, and who lacks it asks.
  const { facts, firstLeftOut } = await factsWithContent(context, registry.id, told, (fact) => renewed.has(fact));
  const bySequence = new Map(page.changes.map(({ sequence }, index) => [sequence, facts[index]]));
  const withContent = (change: Change): Change => ({ ...change, fact: bySequence.get(change.sequence) ?? change.fact });
  if (firstLeftOut === undefined) return { ...page, changes: page.changes.map(withContent) };
  // A shorter page: the rest comes with the next.
  const shorter = await read(after, Math.max(1, firstLeftOut));
  return { ...shorter, changes: shorter.changes.map(withContent) };
}

import type { TriggersContext } from '../triggers-context.ts';
import { serverOf } from './model.ts';
import { takeMovedTags } from './moved-tag-transactions.ts';
import { hasMovedTags } from './queries.ts';

const tagsAtOnce = 200;

/** Notes which tasks are built on tags that moved. Of several processes one takes each word. */
export async function followMovedTags({ database, clock, registries, limits, signal }: TriggersContext): Promise<void> {
  while (!signal.aborted && (await hasMovedTags(database.read))) {
    const servers = registries.all().map((registry) => [registry.id, serverOf(registry)] as const);
    const now = clock.now();
    const { taken } = await database.write(takeMovedTags, { servers, limit: tagsAtOnce, now, settledAt: now + limits.settleMs });
    // Others have the rest.
    if (taken === 0) return;
  }
}

import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import { collectDeletedRegistry, forgetDeletedRegistry } from './transactions.ts';

/** Hands the content of deleted registries to garbage collection, in batches, and forgets what was noted of it. */
export async function collectDeletedRegistries(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const deleted = await database.read
    .selectFrom('registries')
    .select('id')
    .where('deleted_at', 'is not', null)
    .where((eb) =>
      eb.or([
        eb.exists(
          eb
            .selectFrom('repositories')
            .select('repositories.id')
            .whereRef('repositories.registry_id', '=', 'registries.id')
            .where('repositories.deleted_at', 'is', null),
        ),
        eb.exists(eb.selectFrom('changes').select('changes.sequence').whereRef('changes.registry_id', '=', 'registries.id')),
        eb.exists(eb.selectFrom('registers').select('registers.name').whereRef('registers.registry_id', '=', 'registries.id')),
      ]),
    )
    .execute();
  for (const { id } of deleted) {
    for (let isMore = true; isMore && !signal.aborted; )
      isMore = await database.write(collectDeletedRegistry, { id, now: clock.now() });
    for (let isMore = true; isMore && !signal.aborted; ) isMore = await database.write(forgetDeletedRegistry, { id });
  }
}

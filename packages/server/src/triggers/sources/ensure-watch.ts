import { placeOf } from './fire.ts';
import { newSecret, sealSecret } from './hook-secret.ts';
import { plainUrl } from './repository-address.ts';
import type { SourcesContext, Watch } from './sources-context.ts';
import { ensureSource } from './transactions.ts';

/** Makes the row of a trigger, with its secret, or brings it up to date. */
export async function ensureWatch({ database, keys, clock }: SourcesContext, watch: Watch): Promise<void> {
  const { trigger, task } = watch;
  const place = placeOf(watch);
  const isEnabled = trigger.status === 'Enabled' && task.properties.status === 'Enabled';
  await database.write(ensureSource, {
    ...place,
    repository: plainUrl(trigger.sourceRepository.repositoryUrl),
    secret: sealSecret(keys, place, newSecret()),
    isPolled: trigger.pollSeconds !== undefined && isEnabled && trigger.sourceTriggerEvents.includes('commit'),
    now: clock.now(),
  });
}

import { createHash } from 'node:crypto';
import { RegistryError } from '../../errors/index.ts';
import { ForgeClient, ForgeError } from './api/forge-client.ts';
import { hookCollectionOf, installHook, isHookForge, uninstallHook } from './api/forge-hooks.ts';
import { forgeRepositoryOf } from './api/forge-repository.ts';
import { decisionPlaceOf, placeOf } from './fire.ts';
import { openSecret } from './hook-secret.ts';
import { type StoredSource, findSource } from './queries.ts';
import { hookUrl } from './show-hook.ts';
import type { InstalledHook } from './source-state.ts';
import { type SourcesContext, type Watch, sealedTokenOf } from './sources-context.ts';
import { endHook, holdHook } from './transactions.ts';

const holdMs = 60_000;
const firstPauseMs = 60_000;
const maxPauseMs = 6 * 3_600_000;

/** A hook as it should be, with what it takes to make it. */
interface Wanted extends Omit<InstalledHook, 'id'> {
  readonly url: string;
  readonly secret: string;
}

/**
 * Makes, changes or removes the hook at the forge, so that it fits the trigger. Does nothing when it does, or when nobody gave a token.
 * What fails stands in the row, and is tried again ever later.
 */
export async function syncHook(context: SourcesContext, watch: Watch): Promise<void> {
  const { database, clock } = context;
  const place = placeOf(watch);
  const source = await findSource(database.read, place);
  if (source === undefined) return;
  const wanted = wantedHook(context, watch, source);
  const { hook } = source.state;
  if (wanted?.digest === hook?.digest) return;
  const now = clock.now();
  if (!(await database.write(holdHook, { ...place, now, heldUntil: now + holdMs }))) return;
  try {
    const isSamePlace = hook !== undefined && hook.collection === wanted?.collection;
    if (hook !== undefined && !isSamePlace) await removeHook(context, watch.registry.id, hook);
    const made = wanted && (await makeHook(context, watch, wanted, isSamePlace ? hook.id : undefined));
    await database.write(endHook, { ...place, hook: made ?? null });
  } catch (error) {
    if (!(error instanceof ForgeError) && !(error instanceof RegistryError)) throw error;
    await fail(context, watch, source, error.message);
  }
}

/** Removes a hook whose trigger is gone. A hook that is gone already is no failure. @throws ForgeError */
export async function removeHook(context: SourcesContext, registryId: number, hook: InstalledHook): Promise<void> {
  const { forge, collection, id } = hook;
  if (!isHookForge(forge)) return;
  const token = context.tasks.open(registryId, hook.token);
  const client = new ForgeClient({ outbound: context.outbound, forge, token, signal: context.signal });
  try {
    await uninstallHook(client, { forge, collection, id });
  } catch (error) {
    if (!(error instanceof ForgeError) || (error.status !== 404 && error.status !== 410)) throw error;
  }
}

async function makeHook(
  context: SourcesContext,
  watch: Watch,
  wanted: Wanted,
  id: string | undefined,
): Promise<InstalledHook | undefined> {
  const { forge, collection, digest, token, url, secret } = wanted;
  if (!isHookForge(forge)) return undefined;
  const client = new ForgeClient({
    outbound: context.outbound,
    forge,
    token: context.tasks.open(watch.registry.id, token),
    signal: context.signal,
  });
  const hook = { url, secret, events: watch.trigger.sourceTriggerEvents };
  let made: string;
  try {
    made = await installHook(client, { forge, collection, id }, hook);
  } catch (error) {
    // Somebody removed it at the forge.
    if (id === undefined || !(error instanceof ForgeError) || error.status !== 404) throw error;
    made = await installHook(client, { forge, collection, id: undefined }, hook);
  }
  return { forge, id: made, collection, digest, token };
}

function wantedHook(context: SourcesContext, watch: Watch, { state }: StoredSource): Wanted | undefined {
  const { registry, task, trigger } = watch;
  const repository = forgeRepositoryOf(trigger, state.forge);
  const collection = repository && hookCollectionOf(repository);
  const token = sealedTokenOf(watch);
  const origin = context.publicOrigin(registry);
  const isEnabled = trigger.status === 'Enabled' && task.properties.status === 'Enabled';
  if (collection === undefined || repository === undefined || token === undefined || origin === undefined || !isEnabled)
    return undefined;
  const place = placeOf(watch);
  const [url, secret] = [hookUrl(origin, place), openSecret(context.keys, place, state.secret)];
  const facts = [collection, url, secret, trigger.sourceTriggerEvents, token.sealed];
  const digest = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  return { forge: repository.forge, collection, digest, token, url, secret };
}

async function fail(context: SourcesContext, watch: Watch, { state }: StoredSource, problem: string): Promise<void> {
  const { database, clock } = context;
  const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(state.hookFailures ?? 0, 12), maxPauseMs);
  await database.write(endHook, { ...placeOf(watch), hook: state.hook ?? null, problem, retryAt: clock.now() + pauseMs });
  if (state.problems.hook === problem) return;
  await context.record({
    ...decisionPlaceOf(watch),
    kind: 'source',
    isFired: false,
    reason: `the hook at the forge is not as it should be: ${problem}`,
    run: null,
    details: { how: 'hook' },
  });
}

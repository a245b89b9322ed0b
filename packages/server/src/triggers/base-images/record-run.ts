import type { RunFacts } from '../../runs/index.ts';
import type { Task } from '../../tasks/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { TriggersContext } from '../triggers-context.ts';
import { type UsedBaseImage, type Watch, isPaused, isWatched, registryAt, usedBaseImages, watchOf } from './model.ts';
import { baseImagesOf } from './queries.ts';
import { noteDigest, recordBaseImages } from './transactions.ts';

/** Keeps what the last successful run of a task was built on; none: how the task watches is kept alone. */
export async function recordRun(context: TriggersContext, task: Task, run: RunFacts | undefined): Promise<void> {
  const { database, clock, registries } = context;
  const registry = registries.byId(task.registryId);
  if (registry === undefined) return;
  const watch = watchOf(task);
  const place = { registryId: task.registryId, task: task.name };
  const used = usedBaseImages(run?.dependencies ?? [], registries.all());
  const isRecorded = await database.write(recordBaseImages, {
    ...place,
    runRowId: run?.rowId ?? 0,
    watch,
    images: used.map((image) => ({
      ...image,
      isWatched: isWatched(watch, image.role),
      nextCheckAt: firstLook(context, registry, { image, watch }),
    })),
    now: clock.now(),
  });
  if (isRecorded && watch !== 'off') await lookHere(context, registry, place);
}

/** Registries of this deployment tell of pushes; whether a task may know what another one has is looked up at once. */
function firstLook(
  { clock, registries, limits }: TriggersContext,
  registry: Registry,
  { image, watch }: { readonly image: UsedBaseImage; readonly watch: Watch },
): number | null {
  const home = registryAt(image.server, registries.all());
  if (home?.id === registry.id || !isWatched(watch, image.role) || isPaused(watch)) return null;
  // Not at one moment for all tasks that are built together.
  return clock.now() + (home === undefined ? Math.round(limits.pollIntervalMs * Math.random()) : 0);
}

/** What moved while the run went on, before there was a row that could be told. */
async function lookHere(
  context: TriggersContext,
  registry: Registry,
  place: { readonly registryId: number; readonly task: string },
): Promise<void> {
  const { database, clock, registries } = context;
  for (const row of await baseImagesOf(database.read, place)) {
    const { server, repository, tag, moved_id: movedId } = row;
    if (registryAt(server, registries.all())?.id !== registry.id) continue;
    const digest = await context.digestOf(registry.id, { repository, tag });
    if (digest === undefined) continue;
    await database.write(noteDigest, { ...place, server, repository, tag, digest, movedId, now: clock.now() });
  }
}

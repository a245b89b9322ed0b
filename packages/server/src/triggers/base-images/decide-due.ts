import { randomUUID } from 'node:crypto';
import { RegistryError } from '../../errors/index.ts';
import type { RunFacts } from '../../runs/index.ts';
import type { Task } from '../../tasks/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { TriggerDecision } from '../decisions/model.ts';
import type { TriggersContext } from '../triggers-context.ts';
import { type MovedImage, type Verdict, decide } from './decide.ts';
import { followMovedTags } from './follow-moved-tags.ts';
import type { BaseImageLooks } from './look.ts';
import { chainOf, nameOf, registryAt, taskKey } from './model.ts';
import { isUndecided } from './queries.ts';
import { type ImagesAt, imagesIn, sameImages } from './same-images.ts';
import { tellEndpoint } from './tell-endpoint.ts';
import { type SettledImage, type StoredBaseImage, settleImages, takeUndecided } from './transactions.ts';

/** A process that died while it decided holds the rows no longer than this. */
const holdMs = 60_000;
/** Rows that are taken at once; the event loop turns between. */
const rowsAtOnce = 16;
const hourMs = 3_600_000;
/** When a queue that is full is tried again. */
const retryMs = 30_000;
const passing = 429;
/** Of the newest, to find those of the last hour. */
const maxRunsSeen = 200;

/** Decides about all base images that moved, a few tasks at a time, by their names. */
export async function decideDue(context: TriggersContext, looks: BaseImageLooks): Promise<void> {
  const { database, clock, signal } = context;
  while (!signal.aborted && (await isUndecided(database.read, clock.now()))) {
    const now = clock.now();
    const heldUntil = now + holdMs;
    const rows = await database.write(takeUndecided, { limit: rowsAtOnce, now, heldUntil });
    if (rows.length === 0) return;
    const byTask = Map.groupBy(rows, ({ registry_id, task }) => JSON.stringify([registry_id, task]));
    await Promise.all([...byTask.values()].map((ofTask) => decideTask(context, looks, { rows: ofTask, heldUntil })));
    await new Promise((resolve) => setImmediate(resolve));
    // What is pushed meanwhile need not wait for the end of a storm.
    await followMovedTags(context);
  }
}

interface Scene {
  readonly registry: Registry;
  readonly task: Task;
  readonly rows: readonly StoredBaseImage[];
  readonly images: readonly MovedImage[];
  readonly heldUntil: number;
}

interface Due {
  /** Of one task. */
  readonly rows: readonly StoredBaseImage[];
  readonly heldUntil: number;
}

async function decideTask(context: TriggersContext, looks: BaseImageLooks, due: Due): Promise<void> {
  try {
    await decideAll(context, looks, due);
  } catch (error) {
    // The rows are free again after their time.
    if (!context.signal.aborted)
      context.log.error(
        { err: error, task: due.rows[0]?.task },
        'what became of a base image could not be decided; it is tried again',
      );
  }
}

async function decideAll(context: TriggersContext, looks: BaseImageLooks, { rows, heldUntil }: Due): Promise<void> {
  const { tasks, runs, registries, clock, limits } = context;
  const [{ registry_id: registryId, task: name } = { registry_id: 0, task: '' }] = rows;
  const registry = registries.byId(registryId);
  const task = registry && (await tasks.find(registryId, name));
  const trigger = task?.properties.trigger.baseImageTrigger;
  // It goes with the next look at all tasks.
  if (registry === undefined || task === undefined || trigger === undefined) return;
  const now = clock.now();
  const recent = await runs.list({ registryId, task: name, createdFrom: now - hourMs, limit: maxRunsSeen });
  const imagesAt = imagesIn(context, looks, { registry, task });
  const images = await Promise.all(rows.map((row) => movedImage(context, row, { recent, imagesAt })));
  const verdicts = decide({
    task: taskKey(registry, name),
    isTaskEnabled: task.properties.status === 'Enabled',
    isTriggerEnabled: trigger.status === 'Enabled',
    waitingRun: recent.find(isWaiting)?.id,
    images,
    runsPerHour: limits.runsPerHour,
    now,
  });
  await carryOut(context, { registry, task, rows, images, heldUntil }, verdicts);
}

/** It takes what is there once an agent has it, and does with it what a run for a base image does. */
function isWaiting({ status, trigger }: RunFacts): boolean {
  return status === 'Queued' && (trigger?.kind === 'baseImage' || trigger?.kind === 'timer');
}

interface Known {
  readonly recent: readonly RunFacts[];
  readonly imagesAt: ImagesAt;
}

async function movedImage(context: TriggersContext, row: StoredBaseImage, { recent, imagesAt }: Known): Promise<MovedImage> {
  const { server, repository, tag, claimed_at: claimedAt } = row;
  const current = row.current_digest ?? row.recorded_digest;
  const forImage = recent.flatMap((run) => {
    const image =
      run.trigger?.kind === 'baseImage'
        ? run.trigger.images.find((each) => each.registry === server && each.repository === repository && each.tag === tag)
        : undefined;
    return image === undefined ? [] : [{ run, digest: image.digest }];
  });
  const queued = forImage.find(({ run, digest }) => claimedAt !== null && run.createdAt >= claimedAt && digest === current);
  return {
    name: nameOf(row),
    recorded: row.recorded_digest,
    current,
    handled: row.handled_digest,
    alreadyQueued: queued?.run.id,
    sameImagesAs: await sameImages(row, current, imagesAt),
    isQuarantined: await isQuarantined(context, row, current),
    chain: await chainBehind(context, row, current),
    recentRuns: forImage.map(({ run }) => run.createdAt),
  };
}

/** Images of other registries are looked at as whoever pulls them. */
async function isQuarantined(
  context: TriggersContext,
  { registry_id: registryId, server, repository, tag }: StoredBaseImage,
  current: string,
): Promise<boolean> {
  const home = registryAt(server, context.registries.all());
  if (home?.id !== registryId || !home.policies.isQuarantineEnabled) return false;
  return (await context.digestOf(registryId, { repository, tag })) !== current;
}

/** Tasks whose runs led to the push. */
async function chainBehind(
  { runs, registries }: TriggersContext,
  { server, repository, tag, current_run: runId }: StoredBaseImage,
  digest: string,
): Promise<readonly string[]> {
  const home = registryAt(server, registries.all());
  if (home === undefined) return [];
  let run: RunFacts | undefined;
  if (runId !== null) run = await runs.find(home.id, runId);
  else {
    // It moved before anybody looked, was let out of quarantine, or is back: whoever made it has ended.
    const pushers = await runs.list({ registryId: home.id, image: digest, limit: 20 });
    run = pushers.find(({ images }) => images.some((image) => image.repository === repository && image.tag === tag));
  }
  return run === undefined ? [] : chainOf(run, home);
}

const maxChain = 100;

async function carryOut(context: TriggersContext, scene: Scene, verdicts: readonly Verdict[]): Promise<void> {
  const isRun = verdicts.some(({ kind }) => kind === 'fire');
  const outcome = isRun ? await queue(context, scene, verdicts) : undefined;
  const { registry, task, rows, images, heldUntil } = scene;
  const settled: SettledImage[] = [];
  const decisions: TriggerDecision[] = [];
  for (const [at, row] of rows.entries()) {
    const [verdict, image] = [verdicts[at], images[at]];
    if (verdict === undefined || image === undefined) continue;
    const { server, repository, tag } = row;
    const isFired = verdict.kind === 'fire' && outcome?.run !== undefined;
    settled.push({
      server,
      repository,
      tag,
      digest: image.current,
      isHandled: isFired || (verdict.kind === 'none' && verdict.isHandled),
      decideAt: verdict.kind === 'pause' ? verdict.until : verdict.kind === 'fire' ? (outcome?.retryAt ?? null) : null,
      pausedUntil: verdict.kind === 'pause' ? verdict.until : null,
    });
    decisions.push({
      registryId: registry.id,
      task: task.name,
      trigger: triggerName(task),
      kind: 'baseImage',
      isFired,
      reason:
        outcome?.problem !== undefined && verdict.kind === 'fire' ? `${verdict.reason}, but ${outcome.problem}` : verdict.reason,
      run: verdict.kind === 'fire' ? (outcome?.run?.id ?? null) : 'run' in verdict ? (verdict.run ?? null) : null,
      details: {
        image: image.name,
        recorded: image.recorded,
        current: image.current,
        ...(image.chain.length > 0 && { chain: image.chain }),
      },
    });
  }
  const { database, clock } = context;
  const place = { registryId: registry.id, task: task.name };
  await database.write(settleImages, { ...place, heldUntil, images: settled, decisions, now: clock.now() });
  if (outcome?.run !== undefined) tellEndpoint(context, { registry, task, run: outcome.run });
}

function triggerName({ properties }: Task): string {
  return properties.trigger.baseImageTrigger?.name ?? '';
}

interface Queued {
  readonly run?: RunFacts;
  readonly problem?: string;
  readonly retryAt?: number;
}

async function queue(context: TriggersContext, scene: Scene, verdicts: readonly Verdict[]): Promise<Queued> {
  const { tasks, runs, clock } = context;
  const { registry, task, rows, images } = scene;
  const fired = images.flatMap((image, at) => {
    const row = rows[at];
    return row !== undefined && verdicts[at]?.kind === 'fire' ? [{ image, row }] : [];
  });
  const chain = [...new Set(fired.flatMap(({ image }) => image.chain))].slice(-maxChain);
  // What somebody gave the task's last run for the endpoint goes on from run to run.
  const [last] = await runs.list({ registryId: registry.id, task: task.name, statuses: ['Succeeded'], limit: 1 });
  const updateToken = last?.updateToken ?? undefined;
  try {
    const run = await tasks.run({
      registry,
      task,
      requestedBy: 'trigger',
      trigger: {
        kind: 'baseImage',
        id: randomUUID(),
        timestamp: new Date(clock.now()).toISOString(),
        images: fired.map(({ image, row: { server, repository, tag } }) => ({
          registry: server,
          repository,
          tag,
          digest: image.current,
        })),
        ...(chain.length > 0 && { chain }),
      },
      ...(updateToken !== undefined && { overrides: { updateToken } }),
    });
    return { run };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const problem = `no run could be queued: ${error.message}`;
    return error.status >= passing ? { problem, retryAt: clock.now() + retryMs } : { problem };
  }
}

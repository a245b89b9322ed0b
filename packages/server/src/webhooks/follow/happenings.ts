import type { Fact } from '@berth/api';
import type { LogEntry } from '../../changes/index.ts';
import type { ReadQueries } from '../../platform/database/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { WebhookAction } from '../model.ts';
import type { Happening } from '../payloads.ts';
import { type LiveManifest, isPassedAfter, liveManifest, tagsAtClock, tagsOf } from './queries.ts';

/** Of the config of a chart that is an artifact (helm.sh, "Helm OCI media types"). */
const helmConfigType = 'application/vnd.cncf.helm.config.v1+json';

/** Something that webhooks may be told of, and the tags by which their scopes are judged. */
export interface ScopedHappening extends Happening {
  readonly scopeTags: readonly string[] | 'all';
}

export interface HappeningsScene {
  readonly db: ReadQueries;
  readonly registry: Registry;
}

/**
 * What an entry of the change log means to webhooks (acr-api 5.1): a push for each tag, a deletion of a manifest or of a
 * repository, an untag. With quarantine a push is told as `quarantine` alone, and as `push` once it has passed.
 */
export async function happeningsOf(scene: HappeningsScene, entry: LogEntry): Promise<readonly ScopedHappening[]> {
  const { action, isVisible, fact } = entry;
  if (!isVisible) return [];
  switch (action) {
    case 'push':
      return pushed(scene, entry, { digest: fact.name, tag: undefined });
    case 'tag':
      return fact.set?.digest === undefined ? [] : pushed(scene, entry, { digest: fact.set.digest, tag: fact.name });
    case 'delete':
      return deleted(scene, fact);
    case 'delete-repository':
      return [{ ...common(fact), action: 'delete', scopeTags: 'all' }];
    case 'untag':
      return [{ ...common(fact), action: 'untag', tag: fact.name, scopeTags: [fact.name] }];
    case 'attributes':
      return passed(scene, fact);
    case 'renew':
    case 'pull':
      return [];
  }
}

function common(fact: Fact): Pick<Happening, 'repository' | 'request' | 'clock'> {
  return { repository: fact.repository, request: fact.request, clock: stampOf(fact).clock };
}

/** When and where it was done: of several stamps the latest. */
function stampOf({ set, deleted, attributes = {} }: Fact): { readonly clock: number; readonly origin: string } {
  const stamps = [set, deleted, ...Object.values(attributes)].filter((stamp) => stamp !== undefined);
  return stamps.reduce((last, stamp) => (stamp.clock > last.clock ? stamp : last), { clock: 0, origin: '' });
}

interface Pushed {
  readonly digest: string;
  readonly tag: string | undefined;
}

async function pushed(scene: HappeningsScene, entry: LogEntry, what: Pushed): Promise<readonly ScopedHappening[]> {
  const { db, registry } = scene;
  const { fact, sequence } = entry;
  const place = { registryId: registry.id, repository: fact.repository, digest: what.digest };
  const live = await liveManifest.first(db, place);
  const image = imageOf(fact, live);
  const told = { ...common(fact), ...what, ...image, scopeTags: what.tag === undefined ? [] : [what.tag] };
  const actions: readonly WebhookAction[] = (await isHeldBack(scene, { ...place, sequence }, live))
    ? ['quarantine']
    : registry.policies.isQuarantineEnabled
      ? ['push']
      : ['push', 'quarantine'];
  const isChart = image.artifactType === helmConfigType && actions.includes('push');
  return [...actions, ...(isChart ? (['chart_push'] as const) : [])].map((action) => ({ ...told, action }));
}

/** Whether what was pushed was in quarantine then: it has not passed, or did only later. */
async function isHeldBack(
  { db, registry }: HappeningsScene,
  of: Parameters<typeof isPassedAfter>[1],
  live: LiveManifest | undefined,
): Promise<boolean> {
  if (!registry.policies.isQuarantineEnabled) return false;
  return live?.quarantine_state !== 'Passed' || isPassedAfter(db, of);
}

async function deleted({ db, registry }: HappeningsScene, fact: Fact): Promise<readonly ScopedHappening[]> {
  const { clock, origin } = stampOf(fact);
  // A region that tells of a deletion by its state alone does not say which tags went with it; then the log has them.
  const scopeTags = fact.tags ?? (await tagsAtClock(db, { registryId: registry.id, repository: fact.repository, clock, origin }));
  const { artifactType, ...image } = imageOf(fact, undefined);
  const told = { ...common(fact), digest: fact.name, ...image, scopeTags };
  if (artifactType !== helmConfigType) return [{ ...told, action: 'delete' }];
  const tags = scopeTags.length === 0 ? [undefined] : scopeTags;
  return [{ ...told, action: 'delete' }, ...tags.map((tag) => ({ ...told, tag, action: 'chart_delete' as const }))];
}

/** Somebody let it out of quarantine: now it is told of as if it were pushed, under each of its tags. */
async function passed(scene: HappeningsScene, fact: Fact): Promise<readonly ScopedHappening[]> {
  const { db, registry } = scene;
  if (!registry.policies.isQuarantineEnabled || fact.kind !== 'manifest') return [];
  if (fact.attributes?.quarantine_state?.value !== 'Passed') return [];
  const place = { registryId: registry.id, repository: fact.repository, digest: fact.name };
  const live = await liveManifest.first(db, place);
  if (live === undefined) return [];
  const { artifactType, ...image } = imageOf(fact, live);
  const tags = await tagsOf(db, place);
  const actions = artifactType === helmConfigType ? (['push', 'chart_push'] as const) : (['push'] as const);
  // Who passed it asked for that with PATCH; what consumers are told is a push.
  const request = fact.request === undefined ? undefined : { ...fact.request, method: 'PUT' };
  return (tags.length === 0 ? [undefined] : tags).flatMap((tag) =>
    actions.map((action) => ({
      ...common(fact),
      request,
      digest: fact.name,
      ...image,
      tag,
      action,
      scopeTags: tag === undefined ? [] : [tag],
    })),
  );
}

interface Image extends Pick<Happening, 'mediaType' | 'sizeBytes'> {
  readonly artifactType: string | undefined;
}

function imageOf({ content }: Fact, live: LiveManifest | undefined): Image {
  return {
    mediaType: content?.mediaType ?? live?.media_type,
    sizeBytes: content?.sizeBytes ?? live?.size_bytes,
    artifactType: content?.artifactType ?? live?.artifact_type ?? undefined,
  };
}

import { replication } from '@berth/api';
import { parseDigest, parseRepositoryName } from '@berth/oci';
import { RegistryError } from '../../errors/index.ts';
import { parseRange } from '../../http/ranges.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import { sealForRegions } from '../../platform/region-keys/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { feedVersion } from '../peers/model.ts';
import { settingsPurpose } from '../peers/settings-purpose.ts';
import type { FeedContext } from './feed-context.ts';
import { requireFresh, requireHeld } from './require-held.ts';
import { resolveForRegion } from './resolve-for-region.ts';
import { tellChanges } from './tell-changes.ts';
import { tellSnapshot } from './tell-snapshot.ts';

const maxPage = 1_000;
const defaultPage = 200;
const maxWaitSeconds = 60;

/** What other regions ask. They belong to no registry: the one that the host names has no part in it. */
export function feedRoutes(context: FeedContext): readonly Route[] {
  const held = (request: RouteRequest): Promise<Registry> =>
    requireHeld(context, request.params['registry'] ?? '', request.principal);
  return [
    { operation: replication.listReplicatedRegistries, handle: (request) => list(context, request) },
    { operation: replication.readRegistrySettings, handle: async (request) => settings(context, await held(request)) },
    { operation: replication.followChanges, handle: async (request) => changes(context, await held(request), request) },
    { operation: replication.readSnapshot, handle: async (request) => snapshot(context, await held(request), request) },
    { operation: replication.resolveForRegion, handle: async (request) => resolve(context, await held(request), request) },
    { operation: replication.readBlobForRegion, handle: async (request) => blob(context, await held(request), request) },
    {
      operation: replication.readReplicaStatus,
      handle: async (request) => json(await context.statusOf(await held(request))),
    },
  ];
}

function json(value: unknown): Reply {
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json: value } };
}

async function list({ told, region, clock, version }: FeedContext, { principal }: RouteRequest): Promise<Reply> {
  const listed = await told.listFor(principal.name);
  return json({ region, now: clock.now(), version, feedVersion, ...listed });
}

/** @throws NOT_FOUND at a replica */
async function settings({ told, region, regionKeys }: FeedContext, registry: Registry): Promise<Reply> {
  const { version, json: text } = await told.settingsOf(registry);
  if (regionKeys === undefined) throw new Error('a region has signed in, and there is no key of regions');
  const purpose = settingsPurpose({ registry: registry.name, version, home: region });
  return json({ version, sealed: sealForRegions(regionKeys, purpose, text) });
}

async function changes(context: FeedContext, registry: Registry, { query, signal }: RouteRequest): Promise<Reply> {
  await requireFresh(context, registry);
  const asked = {
    after: query.get('after') ?? '',
    limit: numberOf(query, 'limit', { least: 1, most: maxPage, otherwise: defaultPage }),
    waitSeconds: numberOf(query, 'waitSeconds', { least: 0, most: maxWaitSeconds, otherwise: 0 }),
    except: query.get('except') ?? undefined,
    signal,
  };
  return json({ ...(await tellChanges(context, registry, asked)), now: context.clock.now() });
}

async function snapshot(context: FeedContext, registry: Registry, { query }: RouteRequest): Promise<Reply> {
  await requireFresh(context, registry);
  const { facts, next, cursor, total } = await tellSnapshot(context, registry, {
    after: query.get('after') ?? undefined,
    limit: numberOf(query, 'limit', { least: 1, most: maxPage, otherwise: defaultPage }),
  });
  return json({ facts, next: next ?? null, cursor, total: total ?? null, now: context.clock.now() });
}

async function resolve(context: FeedContext, registry: Registry, { query }: RouteRequest): Promise<Reply> {
  await requireFresh(context, registry);
  const wanted = { repository: query.get('repository') ?? '', reference: query.get('reference') ?? '' };
  return json({ facts: await resolveForRegion(context, registry, wanted) });
}

/** @throws BLOB_UNKNOWN, RANGE_INVALID, CONTENT_DAMAGED */
async function blob(context: FeedContext, registry: Registry, { params, query, headers, signal }: RouteRequest): Promise<Reply> {
  const digest = parseDigest(params['digest'] ?? '');
  const repository = parseRepositoryName(query.get('repository') ?? '');
  const found = await context.blobs.forRegion({ registryId: registry.id, repository, digest });
  if (found === undefined)
    throw new RegistryError('BLOB_UNKNOWN', {
      message: `the blob ${digest} of the repository ${repository} is not in ${context.region}`,
    });
  const { sizeBytes } = found;
  const range = parseRange(headers['range'], sizeBytes);
  if (range === 'unsatisfiable')
    throw new RegistryError('RANGE_INVALID', {
      message: `the blob has ${sizeBytes} bytes; the range lies beyond`,
      headers: { 'Content-Range': `bytes */${sizeBytes}` },
    });
  const { start, end } = range ?? { start: 0, end: sizeBytes };
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      'Content-Type': 'application/octet-stream',
      ...(range && { 'Content-Range': `bytes ${start}-${end - 1}/${sizeBytes}` }),
    },
    body: { lengthBytes: end - start, open: () => found.open({ start, end }, signal) },
  };
}

/** @throws INVALID_PARAMETER */
function numberOf(
  query: URLSearchParams,
  name: string,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number },
): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new RegistryError('INVALID_PARAMETER', { message: `${name} is a whole number from ${least} to ${most}`, target: name });
}

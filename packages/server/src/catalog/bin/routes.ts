import { acr } from '@berth/api';
import { parseDigest, parseTag } from '@berth/oci';
import { type Page, nextLink, parsePage } from '../../http/paging.ts';
import { readJson } from '../../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import { askedBy } from '../asked-by.ts';
import type { CatalogContext } from '../catalog-context.ts';
import { manifestUnknown } from '../read-manifest.ts';
import { purgeManifest } from './purge.ts';
import {
  type BinManifest,
  type BinTag,
  binManifestsAfter,
  binRepositoriesAfter,
  binTagsAfter,
  tagsOfDeleted,
} from './queries.ts';
import { restoreManifest } from './restore.ts';

const pageSize = 100;

/** `/acr/v1/_deleted`: what can be restored (acr-api 1.7, 6.3). */
export function binRoutes(context: CatalogContext): readonly Route[] {
  return [
    { operation: acr.listDeletedRepositories, handle: (request) => listRepositories(context, request) },
    { operation: acr.listDeletedManifests, handle: (request) => listManifests(context, request) },
    { operation: acr.listDeletedTags, handle: (request) => listTags(context, request) },
    { operation: acr.restoreManifest, handle: (request) => restore(context, request) },
    { operation: acr.purgeManifest, handle: (request) => purge(context, request) },
  ];
}

async function listRepositories({ database }: CatalogContext, request: RouteRequest): Promise<Reply> {
  const page = parsePage(request.query, pageSize);
  const found = await binRepositoriesAfter(database.read, pageOf(request, page));
  const repositories = found.slice(0, page.limit);
  return {
    status: 200,
    headers: link('/acr/v1/_deleted/_catalog', page, found, repositories.at(-1)),
    body: { json: { repositories } },
  };
}

async function listManifests({ database }: CatalogContext, request: RouteRequest): Promise<Reply> {
  const page = parsePage(request.query, pageSize);
  const repository = nameOf(request);
  const found = await binManifestsAfter(database.read, { ...pageOf(request, page), repository });
  const shown = found.slice(0, page.limit);
  const tags = await tagsOfDeleted(
    database.read,
    { registryId: request.registry.id, repository },
    shown.map((each) => each.digest),
  );
  const manifests = shown.map((each) => manifestDocument(each, tags.get(each.digest)));
  const headers = link(`/acr/v1/_deleted/${repository}/_manifests`, page, found, shown.at(-1)?.digest);
  return { status: 200, headers, body: { json: { ...imageOf(request), manifests } } };
}

async function listTags({ database }: CatalogContext, request: RouteRequest): Promise<Reply> {
  const page = parsePage(request.query, pageSize);
  const repository = nameOf(request);
  const found = await binTagsAfter(database.read, { ...pageOf(request, page), repository });
  const shown = found.slice(0, page.limit);
  const last = shown.at(-1);
  const headers = link(`/acr/v1/_deleted/${repository}/_tags`, page, found, last && `${last.name}@${last.digest}`);
  return { status: 200, headers, body: { json: { ...imageOf(request), tags: shown.map(tagDocument) } } };
}

async function restore(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const { clock, database, garbageDelayMs } = context;
  const digest = parseDigest(request.params['digest'] ?? '');
  const { tag } = await readJson(request, acr.restoreManifest.body);
  const wanted = tag === undefined || tag === null || tag === '' ? undefined : parseTag(tag);
  const now = clock.now();
  const place = { registryId: request.registry.id, repository: nameOf(request), digest };
  const isForced = request.query.get('force')?.toLowerCase() === 'true';
  const outcome = await database.write(restoreManifest, {
    ...place,
    tag: wanted,
    isForced,
    request: askedBy(request, 'POST'),
    now,
    dueAt: now + garbageDelayMs,
  });
  if (outcome === 'unknown') throw notInBin(request, digest);
  return { status: 200, body: { json: { ...imageOf(request), digest, ...(wanted !== undefined && { tag: wanted }) } } };
}

async function purge({ clock, database }: CatalogContext, request: RouteRequest): Promise<Reply> {
  const digest = parseDigest(request.params['digest'] ?? '');
  const place = { registryId: request.registry.id, repository: nameOf(request), digest };
  const isPurged = await database.write(purgeManifest, { ...place, now: clock.now() });
  if (!isPurged) throw notInBin(request, digest);
  return { status: 202 };
}

function notInBin(request: RouteRequest, digest: string): Error {
  return manifestUnknown(nameOf(request), { kind: 'digest', digest: parseDigest(digest) });
}

function manifestDocument(manifest: BinManifest, tags: readonly string[] | undefined): object {
  return {
    digest: manifest.digest,
    mediaType: manifest.media_type,
    imageSize: manifest.size_bytes,
    createdTime: timeText(manifest.pushed_at),
    deletedAt: timeText(manifest.deleted_at),
    ...(tags !== undefined && { tags }),
  };
}

function tagDocument({ name, digest, deleted_at }: BinTag): object {
  return { tag: name, digest, deletedAt: timeText(deleted_at) };
}

/** RFC 3339 in UTC with seven digits, as ACR writes them. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '0000Z');
}

function pageOf(
  { registry }: RouteRequest,
  page: Page,
): { readonly registryId: number; readonly after: string; readonly limit: number } {
  return { registryId: registry.id, after: page.last ?? '', limit: page.limit + 1 };
}

function link(path: string, page: Page, found: readonly unknown[], last: string | undefined): Record<string, string> {
  return found.length > page.limit && last !== undefined ? nextLink(path, page, last) : {};
}

function imageOf(request: RouteRequest): { readonly registry: string; readonly imageName: string } {
  return { registry: request.registry.loginServer, imageName: nameOf(request) };
}

function nameOf(request: RouteRequest): string {
  return request.params['name'] ?? '';
}

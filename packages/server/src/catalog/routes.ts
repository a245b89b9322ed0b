import { distribution } from '@berth/api';
import { mediaTypes, parseDigest, parseReference } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { nextLink, parsePage } from '../http/paging.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import { findRepositoryId } from '../repositories/index.ts';
import type { CatalogContext } from './catalog-context.ts';
import { listReferrers } from './list-referrers.ts';
import { push } from './push-manifest.ts';
import { repositoriesAfter, tagsAfter } from './queries.ts';
import { manifestBytes, nameUnknown, requireManifest, unknown } from './read-manifest.ts';
import { deleteManifest, deleteRepository } from './transactions.ts';

export function catalogRoutes(context: CatalogContext): readonly Route[] {
  return [
    { operation: distribution.getManifest, handle: (request) => getManifest(context, request) },
    { operation: distribution.headManifest, handle: (request) => headManifest(context, request) },
    { operation: distribution.putManifest, handle: (request) => putManifest(context, request) },
    { operation: distribution.deleteManifest, handle: (request) => removeManifest(context, request) },
    { operation: distribution.listTags, handle: (request) => listTags(context, request) },
    { operation: distribution.listReferrers, handle: (request) => referrers(context, request) },
    { operation: distribution.listRepositories, handle: (request) => listRepositories(context, request) },
    { operation: distribution.deleteRepository, handle: (request) => removeRepository(context, request) },
  ];
}

/** The stored type whatever `Accept` says: a client that cannot read it says so better than a 406 would (attack 11). */
async function getManifest(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const { registry } = request;
  const manifest = await requireManifest(context, registry.id, param(request, 'name'), param(request, 'reference'));
  const headers = { 'Docker-Content-Digest': manifest.digest, ETag: `"${manifest.digest}"`, 'Content-Type': manifest.media_type };
  if (isKnownToClient(request, manifest.digest)) return { status: 304, headers };
  return { status: 200, headers, body: await manifestBytes(context, registry.id, manifest) };
}

async function headManifest(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const manifest = await requireManifest(context, request.registry.id, param(request, 'name'), param(request, 'reference'));
  const headers = { 'Docker-Content-Digest': manifest.digest, ETag: `"${manifest.digest}"`, 'Content-Type': manifest.media_type };
  if (isKnownToClient(request, manifest.digest)) return { status: 304, headers };
  return { status: 200, headers, body: { lengthBytes: manifest.size_bytes, open: notSent } };
}

async function putManifest(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const repository = param(request, 'name');
  const { digest, tags, manifest } = await push(context, {
    registryId: request.registry.id,
    repository,
    reference: param(request, 'reference'),
    tags: request.query.getAll('tag'),
    contentType: request.headers['content-type'],
    contentLength: request.contentLength,
    body: request.body,
  });
  return {
    status: 201,
    headers: {
      Location: `/v2/${repository}/manifests/${digest}`,
      'Docker-Content-Digest': digest,
      ...(manifest.subject && { 'OCI-Subject': manifest.subject.digest }),
      ...(tags.length > 0 && { 'OCI-Tag': tags.join(', ') }),
    },
  };
}

async function removeManifest(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const repository = param(request, 'name');
  const registryId = request.registry.id;
  const reference = parseReference(param(request, 'reference'));
  const now = context.clock.now();
  const target = reference.kind === 'tag' ? { tag: reference.tag } : { digest: reference.digest };
  const outcome = await context.database.write(deleteManifest, { registryId, repository, reference: target, now, dueAt: now + context.garbageDelayMs });
  if (outcome !== 'deleted') throw await unknown(context, registryId, repository, reference);
  return { status: 202 };
}

async function listTags(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const name = param(request, 'name');
  const page = parsePage(request.query);
  const repositoryId = await findRepositoryId(context.database.read, request.registry.id, name);
  if (repositoryId === undefined) throw nameUnknown(name);
  const found = page.limit === 0 ? [] : await tagsAfter(context.database.read, { repositoryId, after: page.last ?? '', limit: page.limit + 1 });
  const tags = found.slice(0, page.limit);
  return { status: 200, headers: linkAfter(`/v2/${name}/tags/list`, page, found, tags), body: { json: { name, tags } } };
}

async function listRepositories(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const page = parsePage(request.query);
  const found = page.limit === 0 ? [] : await repositoriesAfter(context.database.read, { registryId: request.registry.id, after: page.last ?? '', limit: page.limit + 1 });
  const repositories = found.slice(0, page.limit);
  return { status: 200, headers: linkAfter('/v2/_catalog', page, found, repositories), body: { json: { repositories } } };
}

async function referrers(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const repository = param(request, 'name');
  const subject = parseDigest(param(request, 'digest'));
  const page = parsePage(request.query);
  const artifactType = request.query.get('artifactType') ?? undefined;
  const { index, next } = await listReferrers(context, { registryId: request.registry.id, repository, subject, artifactType, last: page.last, limit: Math.max(1, page.limit) });
  const filter: Record<string, string> = artifactType === undefined ? {} : { artifactType };
  return {
    status: 200,
    headers: {
      'Content-Type': mediaTypes.ociIndex,
      ...(artifactType !== undefined && { 'OCI-Filters-Applied': 'artifactType' }),
      ...(next !== undefined && nextLink(`/v2/${repository}/referrers/${subject}`, page, next, filter)),
    },
    body: JSON.stringify(index),
  };
}

async function removeRepository(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const repository = param(request, 'name');
  const isDeleted = await context.database.write(deleteRepository, { registryId: request.registry.id, repository, now: context.clock.now() });
  if (!isDeleted) throw nameUnknown(repository);
  return { status: 202 };
}

function linkAfter(path: string, page: { readonly limit: number; readonly last: string | undefined }, found: readonly string[], shown: readonly string[]): Record<string, string> {
  const lastShown = shown.at(-1);
  return found.length > shown.length && lastShown !== undefined ? nextLink(path, page, lastShown) : {};
}

function isKnownToClient(request: RouteRequest, digest: string): boolean {
  return request.headers['if-none-match']?.includes(`"${digest}"`) === true;
}

function notSent(): never {
  throw new RegistryError('INTERNAL', { message: 'a HEAD has no body' });
}

function param(request: RouteRequest, name: string): string {
  return request.params[name] ?? '';
}

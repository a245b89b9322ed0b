import { distribution } from '@berth/api';
import { mediaTypes, parseDigest, parseReference } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { type Page, nextLink, parsePage } from '../http/paging.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import { findRepositoryId } from '../repositories/index.ts';
import type { Principal } from '../tenancy/index.ts';
import { deleteSoftly } from './bin/delete-softly.ts';
import { askedBy } from './asked-by.ts';
import type { CatalogContext } from './catalog-context.ts';
import { deleteAnywhere } from './delete-anywhere.ts';
import { listReferrers } from './list-referrers.ts';
import { push } from './push-manifest.ts';
import { repositoriesAfter, tagsAfter } from './queries.ts';
import type { OpenedManifest } from './manifest-cache.ts';
import { type ManifestAnywhere, requireAnywhere } from './read-elsewhere.ts';
import { headersOf, manifestUnknown, nameUnknown, openManifest } from './read-manifest.ts';
import { deleteRepository } from './transactions.ts';

/** Names of each kind in the answer to a deleted repository: it may have held a million. */
const maxNamesOfDeleted = 1000;

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
  const registryId = request.registry.id;
  const found = await requireAnywhere(context, wantedBy(request));
  if ('elsewhere' in found) return elsewhereReply(request, found.elsewhere);
  const manifest = found.here;
  if (isKnownToClient(request, manifest.digest)) return { status: 304, headers: headersOf(manifest) };
  const { headers, content } = await openManifest(context, registryId, manifest);
  const [repository, reference] = [param(request, 'name'), param(request, 'reference')];
  // A tag has no colon, a digest has one.
  const tag = reference.includes(':') ? undefined : reference;
  request.note({ digest: manifest.digest, mediaType: manifest.media_type, sizeBytes: manifest.size_bytes });
  context.meter?.pulled({ registryId, repository, manifestId: manifest.id, tag });
  return { status: 200, headers, body: content };
}

async function headManifest(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const found = await requireAnywhere(context, wantedBy(request));
  if ('elsewhere' in found) return elsewhereReply(request, found.elsewhere);
  const manifest = found.here;
  const headers = headersOf(manifest);
  if (isKnownToClient(request, manifest.digest)) return { status: 304, headers };
  return { status: 200, headers, body: { lengthBytes: manifest.size_bytes, open: notSent } };
}

/** Of another region, or on its way from there. */
function elsewhereReply(
  request: RouteRequest,
  { digest, mediaType, headers, content }: OpenedManifest & { readonly digest: string },
): Reply {
  if (isKnownToClient(request, digest)) return { status: 304, headers };
  request.note({ digest, mediaType, sizeBytes: content.length });
  return { status: 200, headers, body: content };
}

function wantedBy({ registry, principal, params }: RouteRequest): ManifestAnywhere {
  const { name: repository = '', reference = '' } = params;
  const hidesQuarantined =
    registry.policies.isQuarantineEnabled &&
    !principal.permits({ type: 'repository', name: repository, action: 'quarantine_read' });
  return { registryId: registry.id, repository, reference, hidesQuarantined, isReplicated: registry.isReplicated === true };
}

async function putManifest(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const repository = param(request, 'name');
  const { digest, tags, subject } = await push(context, {
    registryId: request.registry.id,
    repository,
    reference: param(request, 'reference'),
    tags: request.query.getAll('tag'),
    contentType: request.headers['content-type'],
    contentLength: request.contentLength,
    body: request.body,
    signal: request.signal,
    runId: runOf(request.principal),
    request: askedBy(request, 'PUT'),
  });
  request.note({ digest });
  context.meter?.pushed(request.registry.id);
  return {
    status: 201,
    headers: {
      Location: `/v2/${repository}/manifests/${digest}`,
      'Docker-Content-Digest': digest,
      ...(subject !== null && { 'OCI-Subject': subject }),
      ...(tags.length > 0 && { 'OCI-Tag': tags.join(', ') }),
    },
  };
}

async function removeManifest(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const { id: registryId, isReplicated } = request.registry;
  const repository = param(request, 'name');
  const of = parseReference(param(request, 'reference'));
  const outcome = await deleteAnywhere(context, {
    registryId,
    isReplicated,
    repository,
    of,
    request: askedBy(request, 'DELETE'),
  });
  if (outcome === 'repository-unknown') throw nameUnknown(repository);
  if (outcome === 'manifest-unknown') throw manifestUnknown(repository, of);
  return { status: 202 };
}

async function listTags(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const name = param(request, 'name');
  const page = parsePage(request.query);
  const repositoryId = await findRepositoryId(context.database.read, request.registry.id, name);
  if (repositoryId === undefined) throw nameUnknown(name);
  const found = await tagsAfter(context.database.read, { repositoryId, after: page.last ?? '', limit: oneMoreThan(page) });
  const tags = found.slice(0, page.limit);
  return { status: 200, headers: linkAfter(`/v2/${name}/tags/list`, page, found, tags), body: { json: { name, tags } } };
}

async function listRepositories(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const page = parsePage(request.query);
  const registryId = request.registry.id;
  const found = await repositoriesAfter(context.database.read, { registryId, after: page.last ?? '', limit: oneMoreThan(page) });
  const repositories = found.slice(0, page.limit);
  return { status: 200, headers: linkAfter('/v2/_catalog', page, found, repositories), body: { json: { repositories } } };
}

async function referrers(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const repository = param(request, 'name');
  const subject = parseDigest(param(request, 'digest'));
  const page = parsePage(request.query);
  const artifactType = request.query.get('artifactType') ?? undefined;
  const { index, next } = await listReferrers(context, {
    registryId: request.registry.id,
    repository,
    subject,
    artifactType,
    ...page,
  });
  const filter: Record<string, string> = artifactType === undefined ? {} : { artifactType };
  return {
    status: 200,
    headers: {
      'Content-Type': mediaTypes.ociIndex,
      ...(artifactType !== undefined && { 'OCI-Filters-Applied': 'artifactType' }),
      ...(next !== undefined && nextLink(`/v2/${repository}/referrers/${subject}`, page, next, filter)),
    },
    body: index,
  };
}

/** ACR's clients expect the names of what went (acr-api 1.7); here the first thousand of each kind. */
async function removeRepository(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const repository = param(request, 'name');
  const asked = askedBy(request, 'DELETE');
  const wanted = { registryId: request.registry.id, repository, namesLimit: maxNamesOfDeleted, request: asked };
  const deleted =
    request.registry.policies.softDeleteDays === undefined
      ? await context.database.write(deleteRepository, { ...wanted, now: context.clock.now() })
      : await deleteSoftly(context, wanted);
  if (deleted === undefined) throw nameUnknown(repository);
  return { status: 202, body: { json: { manifestsDeleted: deleted.manifests, tagsDeleted: deleted.tags } } };
}

/** One more tells whether there is a next page. A page of none has none (OCI end-8b). */
function oneMoreThan(page: Page): number {
  return page.limit === 0 ? 0 : page.limit + 1;
}

function linkAfter(path: string, page: Page, found: readonly string[], shown: readonly string[]): Record<string, string> {
  const lastShown = shown.at(-1);
  return found.length > shown.length && lastShown !== undefined ? nextLink(path, page, lastShown) : {};
}

function isKnownToClient(request: RouteRequest, digest: string): boolean {
  const condition = request.headers['if-none-match'];
  return condition !== undefined && (condition.trim() === '*' || condition.includes(`"${digest}"`));
}

function notSent(): never {
  throw new RegistryError('INTERNAL', { message: 'a HEAD has no body' });
}

/** Who pushes is known by the credential that a run has. */
function runOf({ kind, id }: Principal): string | undefined {
  return kind === 'run' ? id.slice('run:'.length) : undefined;
}

function param(request: RouteRequest, name: string): string {
  return request.params[name] ?? '';
}

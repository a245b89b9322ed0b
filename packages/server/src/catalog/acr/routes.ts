import { type RepositoryAction, acr } from '@berth/api';
import { type Digest, parseDigest, parseReference } from '@berth/oci';
import { RegistryError } from '../../errors/index.ts';
import { type Page, nextLink, parsePage } from '../../http/paging.ts';
import { readJson } from '../../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import { flagsOf } from '../../repositories/index.ts';
import type { Place } from './describe-manifest.ts';
import { repositoryDocument, tagDocument } from './documents.ts';
import { describedManifests } from './manifests.ts';
import { cursorText, parseCursor, parseOrder } from './paging.ts';
import {
  type ManifestRecord,
  type Order,
  type RepositoryFacts,
  type TagFacts,
  findManifestRecord,
  findRepositoryFacts,
  findTagFacts,
  manifestRecordsAfter,
  tagFactsAfter,
} from './queries.ts';
import { askedBy } from '../asked-by.ts';
import type { CatalogContext } from '../catalog-context.ts';
import { deleteAnywhere } from '../delete-anywhere.ts';
import { repositoriesAfter } from '../queries.ts';
import { manifestUnknown, nameUnknown } from '../read-manifest.ts';
import { quarantineChangeOf } from './quarantine.ts';
import { type UpdateAttributes, updateAttributes } from './update-attributes.ts';

/** What ACR's own clients show and ask at once; for manifests each of these is opened. */
const pageSize = 100;

/** `/acr/v1`: what repositories, tags and manifests are, and their locks (acr-api 1.7). */
export function acrRoutes(context: CatalogContext): readonly Route[] {
  return [
    { operation: acr.listRepositories, handle: (request) => listRepositories(context, request) },
    { operation: acr.getRepository, handle: (request) => showRepository(context, request) },
    { operation: acr.updateRepository, handle: (request) => changeRepository(context, request) },
    { operation: acr.listTags, handle: (request) => listTags(context, request) },
    { operation: acr.getTag, handle: (request) => showTag(context, request) },
    { operation: acr.updateTag, handle: (request) => changeTag(context, request) },
    { operation: acr.deleteTag, handle: (request) => removeTag(context, request) },
    { operation: acr.listManifests, handle: (request) => listManifests(context, request) },
    { operation: acr.getManifest, handle: (request) => showManifest(context, request) },
    { operation: acr.updateManifest, handle: (request) => changeManifest(context, request) },
  ];
}

async function listRepositories(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const page = parsePage(request.query, pageSize);
  const found = await repositoriesAfter(context.database.read, {
    registryId: request.registry.id,
    after: page.last ?? '',
    limit: page.limit + 1,
  });
  const repositories = found.slice(0, page.limit);
  const last = repositories.at(-1);
  const headers = found.length > repositories.length && last !== undefined ? nextLink('/acr/v1/_catalog', page, last) : {};
  return { status: 200, headers, body: { json: { repositories } } };
}

async function showRepository(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const facts = await requireRepository(context, request);
  return { status: 200, body: { json: { ...imageOf(request), ...repositoryDocument(facts) } } };
}

async function changeRepository(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  await change(context, request, undefined);
  return showRepository(context, request);
}

async function listTags(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const page = parsePage(request.query, pageSize);
  const order = parseOrder(request.query);
  const wanted = request.query.get('digest');
  const digest = wanted === null || wanted === '' ? undefined : parseDigest(wanted);
  const { id } = await requireRepository(context, request);
  const { read } = context.database;
  const after = await parseCursor(page.last, order, async (name) => (await findTagFacts(read, id, name))?.updated_at);
  const manifestId = digest && (await requireRecord(context, request, id, digest)).id;
  const found = await tagFactsAfter(read, { repositoryId: id, order, after, limit: page.limit + 1, manifestId });
  const shown = found.slice(0, page.limit);
  const extra = { orderby: order === 'lexical' ? '' : order, ...(digest !== undefined && { digest }) };
  const headers = linkAfter(`/acr/v1/${nameOf(request)}/_tags`, page, {
    hasMore: found.length > shown.length,
    last: shown.at(-1),
    order,
    extra,
  });
  return { status: 200, headers, body: { json: { ...imageOf(request), tags: shown.map(tagDocument) } } };
}

async function showTag(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const { id } = await requireRepository(context, request);
  const name = requireTag(request);
  const tag = await findTagFacts(context.database.read, id, name);
  if (tag === undefined) throw tagUnknown(nameOf(request), name);
  return { status: 200, body: { json: { ...imageOf(request), tag: tagDocument(tag) } } };
}

async function changeTag(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  await change(context, request, { tag: requireTag(request) });
  return showTag(context, request);
}

async function removeTag(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const [repository, tag] = [nameOf(request), requireTag(request)];
  const { id: registryId, isReplicated } = request.registry;
  const target = { registryId, isReplicated, repository, of: { tag }, request: askedBy(request, 'DELETE') };
  const outcome = await deleteAnywhere(context, target);
  if (outcome === 'repository-unknown') throw nameUnknown(repository);
  if (outcome === 'manifest-unknown') throw tagUnknown(repository, tag);
  return { status: 202 };
}

async function listManifests(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const page = parsePage(request.query, pageSize);
  const order = parseOrder(request.query);
  const { id } = await requireRepository(context, request);
  const { read } = context.database;
  const after = await parseCursor(page.last, order, async (digest) => (await findManifestRecord(read, id, digest))?.updated_at);
  const found = await manifestRecordsAfter(read, { repositoryId: id, order, after, limit: page.limit + 1 });
  const shown = found.slice(0, page.limit);
  const last = shown.at(-1);
  const headers = linkAfter(`/acr/v1/${nameOf(request)}/_manifests`, page, {
    hasMore: found.length > shown.length,
    last: last && { name: last.digest, updated_at: last.updated_at },
    order,
    extra: { orderby: order === 'lexical' ? '' : order },
  });
  const manifests = await describedManifests(context, placeOf(request), shown);
  // Null, as ACR says where nothing follows: acr-cli asks on until there is no list, and takes the last of every one that is.
  return { status: 200, headers, body: { json: { ...imageOf(request), manifests: manifests.length === 0 ? null : manifests } } };
}

async function showManifest(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const { id } = await requireRepository(context, request);
  const digest = parseDigest(request.params['digest'] ?? '');
  const record = await requireRecord(context, request, id, digest);
  const [manifest] = await describedManifests(context, placeOf(request), [record]);
  return { status: 200, body: { json: { ...imageOf(request), manifest } } };
}

async function changeManifest(context: CatalogContext, request: RouteRequest): Promise<Reply> {
  const digest = parseDigest(request.params['digest'] ?? '');
  const attributes = await readJson(request, acr.updateManifest.body);
  const flags = flagsOf(attributes);
  const quarantine = quarantineChangeOf(attributes);
  const isDecision = Object.keys(quarantine).length > 0;
  const isLock = Object.keys(flags).length > 0;
  if (isDecision) requireRight(request, 'quarantine_write', 'quarantineState and quarantineDetails');
  if (isLock) requireRight(request, 'metadata_write', 'locks');
  if (isDecision || isLock) await update(context, request, { of: { digest }, flags, quarantine });
  return showManifest(context, request);
}

/** Either right lets into the operation; each opens what is its own. @throws DENIED */
function requireRight({ principal, params }: RouteRequest, action: RepositoryAction, words: string): void {
  const repository = params['name'] ?? '';
  if (principal.permits({ type: 'repository', name: repository, action })) return;
  throw new RegistryError('DENIED', { message: `to change ${words} of what is in ${repository} needs ${action}` });
}

async function change(
  context: CatalogContext,
  request: RouteRequest,
  of: Exclude<UpdateAttributes['of'], { readonly digest: string }>,
): Promise<void> {
  const flags = flagsOf(await readJson(request, acr.updateRepository.body));
  if (Object.keys(flags).length > 0) await update(context, request, { of, flags });
}

async function update(
  context: CatalogContext,
  request: RouteRequest,
  { of, ...changes }: Pick<UpdateAttributes, 'of' | 'flags' | 'quarantine'>,
): Promise<void> {
  const repository = nameOf(request);
  const asked = askedBy(request, 'PATCH');
  const input = { registryId: request.registry.id, repository, of, ...changes, request: asked, now: context.clock.now() };
  const outcome = await context.database.write(updateAttributes, input);
  if (outcome === 'repository-unknown') throw nameUnknown(repository);
  if (outcome === 'updated' || of === undefined) return;
  throw 'tag' in of ? tagUnknown(repository, of.tag) : manifestUnknown(repository, parseReference(of.digest));
}

async function requireRecord(
  context: CatalogContext,
  request: RouteRequest,
  repositoryId: number,
  digest: Digest,
): Promise<ManifestRecord> {
  const record = await findManifestRecord(context.database.read, repositoryId, digest);
  if (record === undefined) throw manifestUnknown(nameOf(request), { kind: 'digest', digest });
  return record;
}

async function requireRepository(context: CatalogContext, request: RouteRequest): Promise<RepositoryFacts> {
  const name = nameOf(request);
  const facts = await findRepositoryFacts(context.database.read, request.registry.id, name);
  if (facts === undefined) throw nameUnknown(name);
  return facts;
}

function requireTag(request: RouteRequest): string {
  const text = request.params['reference'] ?? '';
  const reference = parseReference(text);
  if (reference.kind !== 'tag') throw new RegistryError('TAG_INVALID', { message: `"${text}" is a digest, not a tag` });
  return reference.tag;
}

function tagUnknown(repository: string, tag: string): RegistryError {
  return new RegistryError('TAG_UNKNOWN', { message: `the repository ${repository} has no tag ${tag}`, detail: { Tag: tag } });
}

interface LinkTarget {
  readonly hasMore: boolean;
  readonly last: Pick<TagFacts, 'name' | 'updated_at'> | undefined;
  readonly order: Order;
  readonly extra: Readonly<Record<string, string>>;
}

/** With the time of the last entry, so that the next page begins where this one ended even if that entry changes or goes. */
function linkAfter(path: string, page: Page, { hasMore, last, order, extra }: LinkTarget): Record<string, string> {
  return hasMore && last !== undefined ? nextLink(path, page, cursorText(last, order), extra) : {};
}

function imageOf(request: RouteRequest): { readonly registry: string; readonly imageName: string } {
  return { registry: request.registry.loginServer, imageName: nameOf(request) };
}

function placeOf(request: RouteRequest): Place {
  const { id: registryId, policies } = request.registry;
  return {
    registryId,
    repository: nameOf(request),
    signal: request.signal,
    isQuarantineEnabled: policies.isQuarantineEnabled,
  };
}

function nameOf(request: RouteRequest): string {
  return request.params['name'] ?? '';
}

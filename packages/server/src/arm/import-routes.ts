import { arm } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Reply, Route } from '../http/route.ts';
import type { ImportFrom, ImportRun } from '../imports/index.ts';
import { type Fields, invalid } from '../resources/index.ts';
import type { ArmContext } from './arm-context.ts';
import { type RegistryRequest, managedRegistry, readDocument } from './managed-routes.ts';

/** A small image is there by then: most clients ask again only after seconds. */
const patienceMs = 1_500;
const retryAfterSeconds = 2;
const maxTargets = 100;

/** `importImage` and its long-running operation (acr-api 3.1, 3.3, 6.9). */
export function importRoutes(context: ArmContext): readonly Route[] {
  return [
    managedRegistry(context, arm.importImage, (request) => importImage(context, request)),
    managedRegistry(context, arm.getImport, async (request) => showImport(context, request)),
  ];
}

async function importImage(context: ArmContext, managedRequest: RegistryRequest): Promise<Reply> {
  const { request, registry } = managedRequest;
  const body = await readDocument(request, arm.importImage.body);
  const source = body.object('source');
  const run = context.imports.start({
    registry,
    principalId: request.principal.id,
    clientAddress: request.clientAddress,
    source: readSource(context, source, request.headers['authorization']),
    sourceImage: source.requiredText('sourceImage'),
    targetTags: body.texts('targetTags', maxTargets) ?? [],
    untaggedTargetRepositories: body.texts('untaggedTargetRepositories', maxTargets) ?? [],
    mode: body.text('mode') ?? 'NoForce',
  });
  await endedOr(run, patienceMs);
  return answerOf(managedRequest, run);
}

function showImport(context: ArmContext, request: RegistryRequest): Reply {
  const run = context.imports.find(request.params['operationId'] ?? '');
  // Of another registry is not there (attack 23).
  if (run === undefined || run.registryId !== request.registry.id)
    throw new RegistryError('RESOURCE_NOT_FOUND', { message: 'there is no such import, or it ended more than an hour ago' });
  return answerOf(request, run);
}

function answerOf({ request, registry }: RegistryRequest, run: ImportRun): Reply {
  if (run.error !== undefined) throw run.error;
  const { id, status, progress } = run;
  const json = {
    id: `${registry.resourceId}/operationResults/${id}`,
    name: id,
    status: status === 'succeeded' ? 'Succeeded' : 'Running',
    properties: progress,
  };
  if (status === 'succeeded') return { status: 200, body: { json } };
  const version = encodeURIComponent(request.query.get('api-version') ?? '');
  const location = `${request.origin}${registry.resourceId}/operationResults/${id}?api-version=${version}`;
  return { status: 202, headers: { Location: location, 'Retry-After': retryAfterSeconds }, body: { json } };
}

/**
 * A registry of this deployment by its id is read with the rights of the caller, whose token stands in for a password;
 * any other by its host name and what the body brings.
 */
function readSource({ registries }: ArmContext, source: Fields, authorization: string | undefined): ImportFrom {
  const resourceId = source.text('resourceId');
  if (resourceId !== undefined && resourceId !== '') {
    const found = registries.all().find((each) => each.resourceId.toLowerCase() === resourceId.toLowerCase());
    if (found === undefined)
      throw invalid('source.resourceId', 'is the id of no registry of this deployment; use source.registryUri for another');
    return { registryUri: found.loginServer, credentials: { password: (authorization ?? '').replace(/^bearer +/i, '') } };
  }
  const registryUri = source.requiredText('registryUri');
  const credentials = source.object('credentials');
  const password = credentials.text('password', 16_384);
  if (password === undefined) return { registryUri };
  const username = credentials.text('username', 256);
  return { registryUri, credentials: { password, ...(username !== undefined && { username }) } };
}

async function endedOr({ ended }: ImportRun, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([ended, promise]);
  clearTimeout(timer);
}

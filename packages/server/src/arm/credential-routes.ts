import { arm } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Reply, Route } from '../http/route.ts';
import { invalid } from '../resources/index.ts';
import type { ArmContext } from './arm-context.ts';
import { type RegistryRequest, managedRegistry, readDocument } from './managed-routes.ts';

const noStore = { 'Cache-Control': 'no-store' };

/** The passwords of admin users and of repository-scoped tokens (acr-api 3.2). */
export function credentialRoutes(context: ArmContext): readonly Route[] {
  return [
    managedRegistry(context, arm.listCredentials, (request) => listCredentials(context, request)),
    managedRegistry(context, arm.regenerateCredential, (request) => regenerate(context, request)),
    managedRegistry(context, arm.generateCredentials, (request) => generate(context, request)),
  ];
}

async function listCredentials(context: ArmContext, { registry }: RegistryRequest): Promise<Reply> {
  const found = await context.admins.list(registry);
  if (found === undefined)
    throw new RegistryError('CONFLICT', {
      message: `the admin user of ${registry.name} is disabled; enable it first (az acr update -n ${registry.name} --admin-enabled true)`,
    });
  return { status: 200, headers: noStore, body: { json: found } };
}

async function regenerate(context: ArmContext, managedRequest: RegistryRequest): Promise<Reply> {
  const body = await readDocument(managedRequest.request, arm.regenerateCredential.body);
  const slot = body.oneOf('name', ['password', 'password2']);
  if (slot === undefined) throw invalid('name', 'is missing: password or password2');
  const { registry } = managedRequest;
  if (await context.admins.isEnabled(registry.id)) await context.admins.regenerate(registry, slot);
  return listCredentials(context, managedRequest);
}

async function generate(context: ArmContext, { request, registry }: RegistryRequest): Promise<Reply> {
  const body = await readDocument(request, arm.generateCredentials.body);
  const tokenId = body.requiredText('tokenId');
  const prefix = `${registry.resourceId}/tokens/`.toLowerCase();
  const name = tokenId.slice(prefix.length);
  if (!tokenId.toLowerCase().startsWith(prefix) || name === '' || name.includes('/'))
    throw invalid('tokenId', `must be the id of a token of this registry: ${registry.resourceId}/tokens/NAME`);
  const slot = body.oneOf('name', ['password1', 'password2']);
  const expiry = readExpiry(body.text('expiry'), context.clock.now());
  const generated = await context.tokens.generate(registry, {
    name,
    slots: slot === undefined ? ['password1', 'password2'] : [slot],
    expiry,
  });
  return { status: 200, headers: noStore, body: { json: generated } };
}

function readExpiry(text: string | undefined, now: number): number | null {
  if (text === undefined) return null;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw invalid('expiry', 'must be a time such as 2030-01-31T00:00:00Z');
  if (at <= now) throw invalid('expiry', 'is in the past');
  return at;
}

import { arm } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Reply, Route } from '../http/route.ts';
import {
  type RegistryRecord,
  allRegistries,
  deleteRegistry,
  ensureRegistry,
  findRegistry,
  updateRegistry,
} from '../registries/index.ts';
import { type Fields, invalid } from '../resources/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { ArmContext } from './arm-context.ts';
import {
  type ManagedRequest,
  type RegistryRequest,
  managed,
  managedRegistry,
  registryNow,
  requireGroup,
  readDocument,
  readTags,
} from './managed-routes.ts';
import { type RegistryBody, mergeProperties, readRegistryBody } from './registry-body.ts';
import { registryDocument } from './registry-document.ts';
import { refuseWhatIsMissing } from './registry-refusals.ts';
import { requireValidRegistry } from './registry-rules.ts';

/** How often a change is merged again when others change the registry at the same time. */
const attempts = 5;

/** `…/registries`: create, show, change, delete, list (acr-api 3.2). */
export function registryRoutes(context: ArmContext): readonly Route[] {
  return [
    managed(context, arm.checkNameAvailability, (request) => checkName(context, request)),
    managed(context, arm.listRegistries, () => listRegistries(context, undefined)),
    managed(context, arm.listGroupRegistries, ({ params }) => listRegistries(context, params['resourceGroupName'])),
    managedRegistry(context, arm.getRegistry, (request) => show(context, request, 200)),
    managed(context, arm.putRegistry, (request) => put(context, request)),
    managedRegistry(context, arm.patchRegistry, (request) => patch(context, request)),
    managed(context, arm.deleteRegistry, (request) => remove(context, request)),
  ];
}

function requireRegistryName(name: string): void {
  if (!/^[a-zA-Z0-9]{5,50}$/.test(name)) throw invalid('registryName', 'must have 5 to 50 letters and digits, and nothing else');
}

async function checkName(context: ArmContext, { request }: ManagedRequest): Promise<Reply> {
  const body = await readDocument(request, arm.checkNameAvailability.body);
  const name = body.requiredText('name', 256);
  const type = body.text('type');
  if (type !== undefined && type.toLowerCase() !== 'microsoft.containerregistry/registries')
    throw invalid('type', 'must be Microsoft.ContainerRegistry/registries');
  return { status: 200, body: { json: await nameAnswer(context, name) } };
}

async function nameAnswer(context: ArmContext, name: string): Promise<object> {
  if (!/^[a-zA-Z0-9]{5,50}$/.test(name)) {
    const message = 'The specified name is invalid: it must have 5 to 50 letters and digits, and nothing else.';
    return { nameAvailable: false, reason: 'Invalid', message };
  }
  const isTaken = (await findRegistry(context.database.read, name)) !== undefined;
  if (isTaken) return { nameAvailable: false, reason: 'AlreadyExists', message: `The registry ${name} is already in use.` };
  return { nameAvailable: true, availableLoginServerName: `${name.toLowerCase()}.${context.registries.local.loginServer}` };
}

async function listRegistries(context: ArmContext, group: string | undefined): Promise<Reply> {
  if (group !== undefined) await requireGroup(context, group);
  const records = await allRegistries(context.database.read);
  const wanted = records.filter(
    ({ resourceGroup }) => group === undefined || resourceGroup.toLowerCase() === group.toLowerCase(),
  );
  const value = [];
  for (const record of wanted) value.push(await describe(context, record));
  return { status: 200, body: { json: { value } } };
}

async function show(context: ArmContext, { record }: RegistryRequest, status: number): Promise<Reply> {
  return { status, body: { json: await describe(context, record) } };
}

async function describe(context: ArmContext, record: RegistryRecord): Promise<object> {
  const { loginServer, isAnonymousPullEnabled } = await registryNow(context, record);
  const isAdminEnabled = await context.admins.isEnabled(record.id);
  return registryDocument(context, { ...record, isAnonymousPullEnabled }, { loginServer, isAdminEnabled });
}

async function put(context: ArmContext, managedRequest: ManagedRequest): Promise<Reply> {
  const { request, params, caller } = managedRequest;
  const [group, name] = [params['resourceGroupName'] ?? '', params['registryName'] ?? ''];
  requireRegistryName(name);
  await requireGroup(context, group);
  const fields = await readDocument(request, arm.putRegistry.body);
  const now = context.clock.now();
  refuseWhatIsMissing(fields);
  const body = readRegistryBody(fields, now);
  const location = fields.requiredText('location', 90);
  const existing = await findRegistry(context.database.read, name);
  if (existing !== undefined) context.requireHome(existing);
  if (existing !== undefined) return replace(context, existing, { group, location, body, tags: readTags(fields) ?? {}, caller });
  if (body.plan === undefined) throw invalid('sku.name', 'is missing: Basic, Standard or Premium');
  const wanted = {
    name: name.toLowerCase(),
    resourceGroup: group,
    location,
    plan: body.plan,
    isAnonymousPullEnabled: body.isAnonymousPullEnabled ?? false,
    tags: readTags(fields) ?? {},
    properties: body.properties,
  };
  await requireValidRegistry(context, undefined, wanted);
  const made = await context.database.write(ensureRegistry, { ...wanted, by: caller, now });
  if (made.createdAt !== now || made.createdBy !== caller) throw nameInUse(name);
  await context.registries.refresh();
  await setAdmin(context, made, body.isAdminEnabled ?? false);
  return { status: 201, body: { json: await describe(context, made) } };
}

interface Replacement {
  readonly group: string;
  readonly location: string;
  readonly body: RegistryBody;
  readonly tags: Readonly<Record<string, string>>;
  readonly caller: string;
}

/** A PUT over a registry that is there: what it does not say goes back to its default, its place cannot change. */
async function replace(
  context: ArmContext,
  existing: RegistryRecord,
  { group, location, body, tags, caller }: Replacement,
): Promise<Reply> {
  if (existing.resourceGroup.toLowerCase() !== group.toLowerCase()) throw nameInUse(existing.name);
  if (normalLocation(location) !== normalLocation(existing.location))
    throw invalid('location', `of a registry cannot be changed: it is ${existing.location}`);
  const record = await change(context, existing, caller, (before) => ({
    plan: body.plan ?? before.plan,
    isAnonymousPullEnabled: body.isAnonymousPullEnabled ?? false,
    tags,
    properties: body.properties,
  }));
  await setAdmin(context, record, body.isAdminEnabled ?? false);
  return { status: 200, body: { json: await describe(context, record) } };
}

async function patch(context: ArmContext, { request, record, caller }: RegistryRequest): Promise<Reply> {
  const fields = await readDocument(request, arm.patchRegistry.body);
  refuseWhatIsMissing(fields);
  const body = readRegistryBody(fields, context.clock.now());
  requirePatchable(fields, body, record);
  const tags = readTags(fields);
  const changed = await change(context, record, caller, (before) => ({
    plan: body.plan ?? before.plan,
    isAnonymousPullEnabled: body.isAnonymousPullEnabled ?? before.isAnonymousPullEnabled,
    tags: tags ?? before.tags,
    properties: mergeProperties(before.properties, body.properties),
  }));
  if (body.isAdminEnabled !== undefined) await setAdmin(context, changed, body.isAdminEnabled);
  return { status: 200, body: { json: await describe(context, changed) } };
}

/** What stays as it was made (acr-api 3.3). Saying what it is already is no change. */
function requirePatchable(fields: Fields, { properties }: RegistryBody, { location, properties: before }: RegistryRecord): void {
  const wanted = fields.text('location');
  if (wanted !== undefined && normalLocation(wanted) !== normalLocation(location))
    throw invalid('location', `of a registry cannot be changed: it is ${location}`);
  for (const name of ['zoneRedundancy', 'autoGeneratedDomainNameLabelScope'] as const)
    if (properties[name] !== undefined && properties[name] !== before[name])
      throw invalid(`properties.${name}`, 'cannot be changed after the registry was made');
}

type Changed = Pick<RegistryRecord, 'plan' | 'isAnonymousPullEnabled' | 'tags' | 'properties'>;

async function change(
  context: ArmContext,
  read: RegistryRecord,
  by: string,
  merge: (before: RegistryRecord) => Changed,
): Promise<RegistryRecord> {
  let before: RegistryRecord | undefined = read;
  for (let attempt = 0; attempt < attempts && before !== undefined; attempt += 1) {
    const merged = merge(before);
    await requireValidRegistry(context, before, { ...before, ...merged });
    const now = context.clock.now();
    const isDone: boolean = await context.database.write(updateRegistry, {
      ...merged,
      id: before.id,
      version: before.version,
      by,
      now,
    });
    const after: RegistryRecord | undefined = await findRegistry(context.database.read, read.name);
    if (isDone && after !== undefined) {
      await context.registries.refresh();
      return after;
    }
    before = after;
  }
  throw new RegistryError('CONFLICT', { message: 'the registry is being changed by others; try again' });
}

async function setAdmin(context: ArmContext, record: RegistryRecord, isEnabled: boolean): Promise<void> {
  if ((await context.admins.isEnabled(record.id)) === isEnabled) return;
  const registry: Registry = await registryNow(context, record);
  await (isEnabled ? context.admins.enable(registry) : context.admins.disable(registry));
}

async function remove(context: ArmContext, { params }: ManagedRequest): Promise<Reply> {
  const [group, name] = [params['resourceGroupName'] ?? '', params['registryName'] ?? ''];
  const record = await findRegistry(context.database.read, name);
  if (record === undefined || record.resourceGroup.toLowerCase() !== group.toLowerCase()) {
    await requireGroup(context, group);
    return { status: 204 };
  }
  if (record.name === context.registries.local.name)
    throw new RegistryError('CONFLICT', {
      message: `the registry ${record.name} is the default one of this deployment and stays`,
    });
  context.requireHome(record);
  await context.database.write(deleteRegistry, { id: record.id, name: record.name, now: context.clock.now() });
  await context.registries.refresh();
  return { status: 200 };
}

function nameInUse(name: string): RegistryError {
  return new RegistryError('NAME_IN_USE', {
    message: `the registry DNS name ${name.toLowerCase()} is already in use`,
    target: 'registryName',
  });
}

/** `West Europe` and `westeurope` are one. */
function normalLocation(location: string): string {
  return location.replaceAll(' ', '').toLowerCase();
}

import { createHash, randomBytes } from 'node:crypto';
import type { Registry } from '../../tenancy/index.ts';
import type { SourceUpload } from '../model.ts';
import type { RunsContext } from '../runs-context.ts';
import { type ObjectRow, addObject, newObject, newPartName, offerAgain, releaseObject, useAddress } from './objects.ts';
import { type IncomingSource, receiveInto, sourceKeptMs } from './receive-source.ts';
import { eraseExpired } from './erase-expired.ts';

/** Of a registry, waiting for their runs or of runs that go on. */
const maxSources = 1_000;
/** How long a signed address waits for its upload. */
const reservedMs = 3_600_000;

export interface KeptSource {
  readonly id: string;
  readonly sizeBytes: number;
  readonly expiresAt: number;
}

/** Keeps an archive for a run that its owner is going to queue. @throws SIZE_INVALID, TOOMANYREQUESTS, STORAGE_FULL */
export async function uploadSource(
  context: RunsContext,
  { registry, owner }: { readonly registry: Registry; readonly owner: string },
  source: IncomingSource,
): Promise<KeptSource> {
  const object = await addSource(context, { registry, owner, keptMs: sourceKeptMs });
  try {
    const sizeBytes = await receiveInto(context, object, source);
    return { id: object.id, sizeBytes, expiresAt: context.clock.now() + sourceKeptMs };
  } catch (error) {
    await giveUp(context, object.id);
    throw error;
  }
}

export async function reserveSource(
  context: RunsContext,
  registry: Registry,
  owner: string,
): Promise<{ readonly id: string; readonly secret: string }> {
  const secret = randomBytes(32).toString('base64url');
  const { id } = await addSource(context, { registry, owner, keptMs: reservedMs, verifier: verifierOf(secret) });
  return { id, secret };
}

/** False: the secret is not the one, or it was used. An upload that breaks off may be sent again. */
export async function receiveSource(
  context: RunsContext,
  registry: Registry,
  id: string,
  upload: SourceUpload,
): Promise<boolean> {
  const { database, clock } = context;
  const verifier = verifierOf(upload.secret);
  const now = clock.now();
  const object = await database.write(useAddress, {
    registryId: registry.id,
    id: id.slice(0, 64),
    verifier,
    now,
    keptUntil: now + sourceKeptMs,
  });
  if (object === undefined) return false;
  try {
    await receiveInto(context, object, upload);
    return true;
  } catch (error) {
    await database.write(offerAgain, { object, verifier, partName: newPartName() });
    throw error;
  }
}

interface Wanted {
  readonly registry: Registry;
  readonly owner: string;
  readonly keptMs: number;
  readonly verifier?: string;
}

async function addSource({ database, keys, clock }: RunsContext, { registry, ...wanted }: Wanted): Promise<ObjectRow> {
  const dataKeyId = keys.current(registry.id).id;
  const object = newObject({ ...wanted, registryId: registry.id, kind: 'source', dataKeyId, now: clock.now() });
  await database.write(addObject, { object, maxObjects: maxSources });
  return object;
}

/** Random bits: a fast hash is enough to keep them. */
export function verifierOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

async function giveUp(context: RunsContext, id: string): Promise<void> {
  await context.database.write(releaseObject, { id, now: context.clock.now() });
  await eraseExpired(context).catch((error: unknown) =>
    context.log.warn({ err: error }, 'an upload that broke off could not be erased yet'),
  );
}

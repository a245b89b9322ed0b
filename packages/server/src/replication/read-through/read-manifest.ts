import type { ManifestElsewhere } from '../../catalog/index.ts';
import { type Register, attributesThatHold, emptyRegister, findRegister } from '../../changes/index.ts';
import { type CopyContext, fetchManifest } from '../copy/index.ts';
import type { PendingManifest } from '../merge/model.ts';
import { findPending } from '../merge/pending.ts';
import type { Wanted } from './ask-peers.ts';

/** Its bytes are asked for while a client waits. */
const fetchMs = 3_000;

/** What a tag or digest names that is on its way here, with what was decided about it; undefined: nothing is. */
export async function readPending(context: CopyContext, wanted: Wanted): Promise<ManifestElsewhere | undefined> {
  let found = await findPending(context, wanted);
  if (found !== undefined && found.bytes === undefined) found = await fetchBytes(context, wanted, found);
  if (found?.bytes === undefined) return undefined;
  const { digest, mediaType, bytes } = found;
  return { digest, mediaType, bytes, ...(await decisions(context, wanted, digest)) };
}

async function fetchBytes(context: CopyContext, wanted: Wanted, found: PendingManifest): Promise<PendingManifest | undefined> {
  const registry = context.registries.byId(wanted.registryId)?.name;
  if (registry === undefined) return undefined;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(fetchMs)]);
  try {
    await fetchManifest(context, { ...wanted, digest: found.digest, source: found.source, registry }, signal);
  } catch (error) {
    context.log.warn({ err: error, digest: found.digest }, 'a manifest that somebody waits for could not be brought yet');
  }
  return findPending(context, wanted);
}

/** What was decided about names that have no rows here yet: whether they may be read, and what came of the quarantine. */
async function decisions(
  { database }: CopyContext,
  { registryId, repository, reference }: Wanted,
  digest: string,
): Promise<Pick<ManifestElsewhere, 'isReadable' | 'verdict'>> {
  const find = async (kind: 'repository' | 'manifest' | 'tag', name: string): Promise<Register> =>
    (await findRegister(database.read, { registryId, repository, kind, name })) ?? emptyRegister;
  const whole = await find('repository', '');
  const manifest = await find('manifest', digest);
  const registers = [whole, manifest, ...(reference.includes(':') ? [] : [await find('tag', reference)])];
  const isReadable = registers.every((register) => attributesThatHold(register, whole.deleted).read_enabled?.value !== 0);
  const verdict = attributesThatHold(manifest, whole.deleted).quarantine_state?.value;
  return { isReadable, verdict: verdict === 'Passed' || verdict === 'Failed' ? verdict : null };
}

/** Whether the repository itself lets its content be read. */
export async function mayReadRepository(
  { database }: Pick<CopyContext, 'database'>,
  { registryId, repository }: Pick<Wanted, 'registryId' | 'repository'>,
): Promise<boolean> {
  const register = await findRegister(database.read, { registryId, repository, kind: 'repository', name: '' });
  if (register === undefined) return true;
  return attributesThatHold(register, register.deleted).read_enabled?.value !== 0;
}

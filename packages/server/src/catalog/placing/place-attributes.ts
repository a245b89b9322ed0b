import type { AttributeValue, FactAttribute } from '@berth/api';
import type { WriteQueries } from '../../platform/database/index.ts';
import { findRepositoryId } from '../../repositories/index.ts';
import type { Place } from '../bin/put-into-bin.ts';
import type { Verdict } from '../life.ts';
import { noteLetOut } from '../moved-tags.ts';

export type AttributeValues = Readonly<Partial<Record<FactAttribute, AttributeValue['value']>>>;

export interface AttributesToPlace extends Place {
  /** Whose; the repository's own without. */
  readonly of: { readonly tag: string } | { readonly digest: string } | undefined;
  /** Those that hold. */
  readonly values: AttributeValues;
}

/** Sets all attributes of something as they hold everywhere; those without a value are as they are of something new. Of what is not here nothing is kept. */
export async function placeAttributes(tx: WriteQueries, input: AttributesToPlace): Promise<void> {
  const { registryId, repository, of, values } = input;
  const repositoryId = await findRepositoryId(tx, registryId, repository);
  if (repositoryId === undefined) return;
  const flags = {
    delete_enabled: flagOf(values.delete_enabled),
    write_enabled: flagOf(values.write_enabled),
    list_enabled: flagOf(values.list_enabled),
    read_enabled: flagOf(values.read_enabled),
  };
  if (of === undefined) await tx.updateTable('repositories').set(flags).where('id', '=', repositoryId).execute();
  else if ('tag' in of)
    await tx.updateTable('tags').set(flags).where('repository_id', '=', repositoryId).where('name', '=', of.tag).execute();
  else await placeOfManifest(tx, input, { repositoryId, digest: of.digest, flags });
}

async function placeOfManifest(
  tx: WriteQueries,
  input: AttributesToPlace,
  {
    repositoryId,
    digest,
    flags,
  }: { readonly repositoryId: number; readonly digest: string; readonly flags: Readonly<Record<string, number>> },
): Promise<void> {
  const before = await tx
    .selectFrom('manifests')
    .select(['id', 'quarantine_state'])
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  if (before === undefined) return;
  const state = verdictOf(input.values.quarantine_state);
  const details = input.values.quarantine_details;
  const quarantine = { quarantine_state: state, quarantine_details: typeof details === 'string' ? details : null };
  await tx
    .updateTable('manifests')
    .set({ ...flags, ...quarantine })
    .where('id', '=', before.id)
    .execute();
  if (state === 'Passed' && before.quarantine_state !== 'Passed') await noteLetOut(tx, input, { repositoryId, digest });
}

function flagOf(value: AttributeValue['value'] | undefined): number {
  return value === 0 ? 0 : 1;
}

function verdictOf(value: AttributeValue['value'] | undefined): Verdict | null {
  return value === 'Passed' || value === 'Failed' ? value : null;
}

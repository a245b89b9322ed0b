import { type WriteQueries, prepareRead } from '../platform/database/index.ts';

const properties = prepareRead<{ registryId: number }, { readonly properties: string }>((db, { registryId }) =>
  db.selectFrom('registries').select('properties').where('id', '=', registryId),
);

interface SoftDeletePart {
  readonly policies?: { readonly softDeletePolicy?: { readonly status?: string } };
}

/**
 * Whether what is deleted in a registry can be restored for some days. Asked inside the transaction that deletes, so that
 * nobody who deletes can forget it: clients, retention, cleanup.
 */
export async function deletesSoftly(tx: WriteQueries, registryId: number): Promise<boolean> {
  const row = await properties.first(tx, { registryId });
  if (row === undefined || row.properties === '{}') return false;
  return (JSON.parse(row.properties) as SoftDeletePart).policies?.softDeletePolicy?.status === 'enabled';
}

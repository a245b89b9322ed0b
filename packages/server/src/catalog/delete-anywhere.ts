import type { CatalogContext } from './catalog-context.ts';
import { type DeleteOutcome, type DeleteTag, deleteManifest, deleteTag } from './transactions.ts';

export interface ToDelete extends Omit<DeleteTag, 'tag' | 'now'> {
  readonly of: { readonly tag: string } | { readonly digest: string };
  /** Other regions hold the registry, too. */
  readonly isReplicated: boolean | undefined;
}

/**
 * Deletes what a client names, wherever it is: what is here, or what other regions have and is on its way.
 * @throws REGISTRY_DISALLOWED_OPERATION
 */
export async function deleteAnywhere(context: CatalogContext, { isReplicated, of, ...rest }: ToDelete): Promise<DeleteOutcome> {
  const { database, clock, garbageDelayMs, elsewhere } = context;
  const now = clock.now();
  const outcome =
    'tag' in of
      ? await database.write(deleteTag, { ...rest, ...of, now })
      : await database.write(deleteManifest, { ...rest, ...of, dueAt: now + garbageDelayMs, now });
  if (outcome !== 'deleted' && isReplicated === true && elsewhere !== undefined) {
    const { request, ...place } = rest;
    if (await elsewhere.remove({ ...place, reference: 'tag' in of ? of.tag : of.digest }, request)) return 'deleted';
  }
  if (outcome === 'deleted' && 'tag' in of) context.onTagsMoved?.(rest.registryId);
  return outcome;
}

import type { Register } from '../../changes/index.ts';
import { type WriteQueries, lockRows } from '../../platform/database/index.ts';
import { ensureAnyRepository } from '../../repositories/index.ts';
import type { RepositoryRegisters } from './repository-registers.ts';

/** One repository, in one transaction. */
export interface Scene {
  readonly tx: WriteQueries;
  readonly registryId: number;
  readonly repository: string;
  /** Undefined: it is not there (any more). */
  repositoryId: number | undefined;
  readonly registers: RepositoryRegisters;
  readonly now: number;
  /** When collection should look at the blobs that may have lost their last use (ms). */
  readonly dueAt: number;
}

/** Of the repository itself. */
export function repositoryRegister({ registers }: Scene): Register {
  return registers.get('repository', '');
}

/**
 * Keeps pushes into a repository, and others who merge, out until the transaction ends: what is decided by its registers must be
 * true of its rows. `FOR UPDATE` conflicts with the `FOR KEY SHARE` of a push. Without an id: there is none.
 */
export async function lockRepository(
  tx: WriteQueries,
  { registryId, repository }: Pick<Scene, 'registryId' | 'repository'>,
  made: { readonly isMade: boolean; readonly now: number },
): Promise<{ readonly id: number | undefined; readonly isNew: boolean }> {
  for (let isNew = false; ; isNew = true) {
    const row = await lockRows(
      tx
        .selectFrom('repositories')
        .select('id')
        .where('registry_id', '=', registryId)
        .where('name', '=', repository)
        .where('deleted_at', 'is', null),
    ).executeTakeFirst();
    if (row !== undefined || !made.isMade) return { id: row?.id, isNew };
    await ensureAnyRepository(tx, registryId, repository, made.now);
  }
}

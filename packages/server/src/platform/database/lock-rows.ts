import type { SelectQueryBuilder } from 'kysely';

/**
 * Locks the rows that a query of a transaction reads until it ends. On PostgreSQL it is `FOR UPDATE`, which conflicts
 * with the key-share lock that a foreign key takes on its parent: so collection and a push of the same content cannot
 * pass each other (architecture 6). On SQLite our compiler leaves the clause out: writers are serial there.
 */
export function lockRows<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O> {
  return query.forUpdate();
}

/** As `lockRows`, but leaves out rows that another transaction holds, instead of waiting for it. */
export function lockFreeRows<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O> {
  return query.forUpdate().skipLocked();
}

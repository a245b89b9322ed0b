export { kyselyOnPostgres } from './dialect.ts';
export { type OpenPostgresOptions, openPool, openPostgres } from './open-postgres.ts';

export { type DatabaseLocation, type OpenTestDatabaseOptions, type TestEngine, forEachEngine } from './engines.ts';
export { type PostgresCluster, findPostgresPrograms, startPostgresCluster } from './postgres-cluster.ts';

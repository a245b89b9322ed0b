export { type DatabaseLocation, type OpenTestDatabaseOptions, type TestEngine, forEachEngine } from './engines.ts';
export { type PostgresCluster, findPostgresPrograms, startPostgresCluster } from './postgres-cluster.ts';
export { type SpawnOptions, type SpawnedRegistry, spawnRegistry } from './spawn-registry.ts';
export { type StartOptions, type StartedRegistry, startRegistry } from './start-registry.ts';

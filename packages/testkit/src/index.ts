export { agentDescription } from './agent-description.ts';
export { type DockerDaemon, type EngineTrust, startDockerDaemon } from './docker-daemon.ts';
export { findProgram, missingPrograms } from './find-program.ts';
export { type TestNetwork, missingForNetwork, openTestNetwork } from './test-network.ts';
export { type OidcIssuer, type OidcJob, startOidcIssuer } from './oidc-issuer.ts';
export { type DatabaseLocation, type OpenTestDatabaseOptions, type TestEngine, forEachEngine } from './engines.ts';
export { type PostgresCluster, findPostgresPrograms, startPostgresCluster } from './postgres-cluster.ts';
export { type SpawnOptions, type SpawnedRegistry, spawnRegistry } from './spawn-registry.ts';
export { type StartOptions, type StartedRegistry, startRegistry } from './start-registry.ts';
export { type Challenge, parseChallenge } from './challenge.ts';
export {
  type Content,
  type DescriptorJson,
  type RandomImage,
  type RandomImageOptions,
  type RandomIndex,
  contentOf,
  descriptorOf,
  digestOf,
  randomBytesOf,
  randomImage,
  randomIndex,
} from './random-image.ts';
export { type ManagerAnswer, ManagerClient, type Owner, readOwner } from './manager-client.ts';
export { type ClientAnswer, type ClientOptions, type ClientRequest, RegistryClient } from './registry-client.ts';

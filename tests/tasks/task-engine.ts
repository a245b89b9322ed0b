import { join } from 'node:path';
import { type DockerDaemon, type EngineTrust, type TestNetwork, startDockerDaemon } from '@berth/testkit';
import { type ProgramOutput, type RunOptions, findProgram, runProgram } from '../clients/client-program.ts';

/** A Docker engine, with commands of the tests' own at it. */
export interface TaskEngine extends DockerDaemon {
  docker(args: readonly string[], options?: RunOptions): Promise<ProgramOutput>;
  /** Ids of everything that carries this label: containers, networks, volumes. */
  labelled(label: string): Promise<readonly string[]>;
}

/** An engine in the network of the tests, with the command line of Docker. */
export async function startTaskEngine(network: TestNetwork, trust: EngineTrust): Promise<TaskEngine> {
  const daemon = await startDockerDaemon(network, trust);
  const client = findProgram('docker') ?? 'docker';
  const docker = (args: readonly string[], options: RunOptions = {}): Promise<ProgramOutput> => {
    const env = { DOCKER_CONFIG: join(daemon.folder, 'config'), ...options.env };
    return runProgram(client, ['--host', daemon.host, ...args], { ...options, env });
  };
  const labelled = async (label: string): Promise<readonly string[]> => {
    const filter = ['--quiet', '--filter', `label=${label}`];
    const lists = [
      ['ps', '--all'],
      ['network', 'ls'],
      ['volume', 'ls'],
    ];
    const found = await Promise.all(lists.map((list) => docker([...list, ...filter])));
    return found.flatMap(({ stdout }) => stdout.split('\n').filter((line) => line !== ''));
  };
  return { ...daemon, docker, labelled };
}

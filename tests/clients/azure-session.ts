import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readOwner } from '@berth/testkit';
import type { RunOptions } from './client-program.ts';
import type { ClientSession } from './client-suite.ts';

/** The Azure CLI, signed in to a registry of the tests. */
export interface AzureSession {
  /** Runs `az` and gives what it prints, parsed. @throws when it fails, with what it printed */
  az(...args: readonly string[]): Promise<unknown>;
  /** `az acr …` */
  acr(...args: readonly string[]): Promise<unknown>;
  /** The same for commands that print a log. */
  acrText(...args: readonly string[]): Promise<string>;
  /** The same, told what is printed as soon as it is. */
  acrWatched(onOutput: (text: string) => void, ...args: readonly string[]): Promise<string>;
}

/** What the Azure CLI takes of a session of a client. */
export interface AzurePlace extends Pick<ClientSession, 'folder' | 'run'> {
  readonly target: Pick<ClientSession['target'], 'origin' | 'authorityFile' | 'dataDir'>;
}

/** Debian's Azure CLI, unmodified, in a configuration of its own (acr-api 7.10). */
export function azureSession(session: AzurePlace): AzureSession {
  const run = async (args: readonly string[], options: Pick<RunOptions, 'onOutput'> = {}): Promise<string> => {
    const env = {
      AZURE_CONFIG_DIR: join(session.folder, 'azure'),
      AZURE_CORE_COLLECT_TELEMETRY: '0',
      AZURE_CORE_ONLY_SHOW_ERRORS: '1',
      REQUESTS_CA_BUNDLE: session.target.authorityFile ?? '',
      PYTHONUNBUFFERED: '1',
    };
    return (await session.run('az', args, { ...options, env })).stdout;
  };
  const az = async (...args: readonly string[]): Promise<unknown> => {
    const stdout = await run(args);
    return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  };
  return {
    az,
    acr: (...args) => az('acr', ...args),
    acrText: (...args) => run(['acr', ...args]),
    acrWatched: (onOutput, ...args) => run(['acr', ...args], { onOutput }),
  };
}

/** Registers the cloud, discovers its endpoints and signs in as the owner of the deployment. */
export async function signInAsOwner({ az }: AzureSession, { target }: AzurePlace, hostname = 'localhost'): Promise<void> {
  assert.ok(target.dataDir !== undefined, 'the owner is known for a server of ours only');
  const { clientId, clientSecret, subscriptionId } = await readOwner(target.dataDir);
  const { port } = new URL(target.origin);
  const origin = `https://${hostname}:${port}`;
  await az('config', 'set', 'core.instance_discovery=false');
  const suffixes = [
    '--suffix-acr-login-server-endpoint',
    `.${hostname}:${port}`,
    '--suffix-storage-endpoint',
    hostname,
    '--suffix-keyvault-dns',
    '.vault.localhost',
  ];
  await az('cloud', 'register', '--name', 'berth', '--endpoint-resource-manager', origin, ...suffixes);
  await az('cloud', 'set', '--name', 'berth');
  const credentials = ['--username', clientId, '--password', clientSecret, '--tenant', 'adfs'];
  const [account] = (await az('login', '--service-principal', ...credentials)) as [{ id: string }];
  assert.equal(account.id, subscriptionId);
}

/** Some members of an answer of the CLI. */
export function pick(answer: unknown, ...names: readonly string[]): unknown[] {
  return names.map((name) =>
    name.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], answer),
  );
}

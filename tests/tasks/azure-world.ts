import { join } from 'node:path';
import { type AzurePlace, type AzureSession, azureSession, signInAsOwner } from '../clients/azure-session.ts';
import { findProgram, runProgram } from '../clients/client-program.ts';
import type { TaskWorld } from './task-world.ts';

/** The Azure CLI at the address of a world with TLS, signed in as the owner of its deployment. */
export async function openAzure(world: TaskWorld): Promise<AzureSession> {
  const place: AzurePlace = {
    folder: world.folder,
    target: { origin: world.url, authorityFile: world.authorityFile, dataDir: join(world.folder, 'data') },
    run: (program, args, options = {}) =>
      runProgram(findProgram(program) ?? program, args, {
        cwd: world.folder,
        ...options,
        env: { HOME: world.folder, TMPDIR: world.folder, ...options.env },
      }),
  };
  const azure = azureSession(place);
  await signInAsOwner(azure, place, world.network.address);
  return azure;
}

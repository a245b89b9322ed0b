import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What a newcomer needs to sign in; readable by its owner only. */
export interface FirstRun {
  readonly loginServer: string;
  readonly username: string;
  readonly password: string;
}

export const firstRunFileName = 'first-run.json';

/** Writes the file whole or not at all, durable before the password counts. */
export async function writeFirstRun(dataDir: string, firstRun: FirstRun): Promise<void> {
  const path = join(dataDir, firstRunFileName);
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    // A draft that a crash left behind keeps the mode that it had.
    await file.chmod(0o600);
    await file.writeFile(`${JSON.stringify(firstRun, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dataDir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** What it says does not count. */
export async function removeFirstRun(dataDir: string): Promise<void> {
  await rm(join(dataDir, firstRunFileName), { force: true });
}

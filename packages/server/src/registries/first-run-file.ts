import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What a newcomer needs to sign in; readable by its owner only. */
export interface FirstRun {
  readonly loginServer: string;
  readonly username: string;
  readonly password: string;
}

/** The identity that owns the deployment, and where it works. */
export interface FirstOwner {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
}

export const firstRunFileName = 'first-run.json';

/** Writes what is known of the admin user; the owner, whose secret stands nowhere else, stays. Durable before the password counts. */
export async function writeFirstRun(dataDir: string, firstRun: FirstRun): Promise<void> {
  await writeWhole(dataDir, { ...(await readWhole(dataDir)), ...firstRun });
}

/** Adds the owner to what the file says; in data of an earlier version there may be none. */
export async function addFirstOwner(dataDir: string, owner: FirstOwner & { readonly loginServer: string }): Promise<void> {
  await writeWhole(dataDir, { ...(await readWhole(dataDir)), ...owner });
}

async function readWhole(dataDir: string): Promise<Partial<FirstRun & FirstOwner>> {
  const text = await readFile(join(dataDir, firstRunFileName), 'utf8').catch(() => '{}');
  return JSON.parse(text) as Partial<FirstRun & FirstOwner>;
}

/** Writes the file whole or not at all. */
async function writeWhole(dataDir: string, content: object): Promise<void> {
  const path = join(dataDir, firstRunFileName);
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    // A draft that a crash left behind keeps the mode that it had.
    await file.chmod(0o600);
    await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
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

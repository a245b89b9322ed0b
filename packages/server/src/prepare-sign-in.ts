import type { Access } from './access/index.ts';
import {
  type FirstRun,
  type Registries,
  addFirstOwner,
  defaultResourceGroup,
  removeFirstRun,
  writeFirstRun,
} from './registries/index.ts';
import type { Registry } from './tenancy/index.ts';

interface SignInPlace {
  readonly dataDir: string;
  readonly chosenPassword: string | undefined;
}

/**
 * Makes the admin user of the default registry and the identity that owns the deployment, where they are missing; each
 * secret stands in the first-run file before it counts. Returns the generated admin password, when this start made it.
 */
export async function prepareSignIn(access: Access, registries: Registries, place: SignInPlace): Promise<FirstRun | undefined> {
  const { local, ids } = registries;
  // Who signs in to a replica is written in its home region; a password of the settings must not fight with that.
  const firstRun = local.homeRegion === undefined ? await announceAdmin(access, local, place) : undefined;
  await access.ensureOwner({
    ...ids,
    announce: (owner) =>
      addFirstOwner(place.dataDir, { loginServer: local.loginServer, ...owner, ...ids, resourceGroup: defaultResourceGroup }),
  });
  return firstRun;
}

async function announceAdmin(
  access: Access,
  registry: Registry,
  { dataDir, chosenPassword }: SignInPlace,
): Promise<FirstRun | undefined> {
  let firstRun: FirstRun | undefined;
  await access.ensureAdmin(registry, {
    chosenPassword,
    announce: async ({ username, password, slot }) => {
      const written: FirstRun = { loginServer: registry.loginServer, username, password };
      await writeFirstRun(dataDir, written);
      // Whoever chose a password need not read another one on the screen.
      if (slot === 'password') firstRun = written;
    },
    retract: async () => {
      firstRun = undefined;
      await removeFirstRun(dataDir);
    },
  });
  return firstRun;
}

import type { Setting } from './setting.ts';
import { authorityProblem } from './value-problems.ts';

/** Rows of the settings table about runs, their agents and triggers. */
export const taskSettings = [
  {
    group: 'Tasks',
    name: 'agent',
    kind: 'choice',
    choices: ['auto', 'off'],
    default: 'auto',
    env: 'BERTH_AGENT',
    flag: 'agent',
    placeholder: 'off',
    help: 'auto: the server starts an agent that executes runs on this machine, where it finds a container engine (docker, podman, buildah). off: runs wait for agents of other machines.',
  },
  {
    group: 'Tasks',
    name: 'keyVaults',
    kind: 'list',
    default: '',
    env: 'BERTH_KEY_VAULTS',
    flag: 'key-vaults',
    placeholder: 'LIST',
    help: 'Host names of the Azure key vaults, such as team.vault.azure.net, whose secrets task files and credentials may name; no other gets the token of this server.',
  },
  {
    group: 'Tasks',
    name: 'keyVaultTenant',
    kind: 'text',
    env: 'BERTH_KEY_VAULT_TENANT',
    flag: 'key-vault-tenant',
    placeholder: 'ID',
    help: 'Tenant of the application that reads key vaults.',
  },
  {
    group: 'Tasks',
    name: 'keyVaultClientId',
    kind: 'text',
    env: 'BERTH_KEY_VAULT_CLIENT_ID',
    flag: 'key-vault-client-id',
    placeholder: 'ID',
    help: 'Client id of the application that reads key vaults.',
  },
  {
    group: 'Tasks',
    name: 'keyVaultClientSecret',
    kind: 'secret',
    env: 'BERTH_KEY_VAULT_CLIENT_SECRET',
    help: 'Client secret of the application that reads key vaults.',
  },
  {
    group: 'Tasks',
    name: 'keyVaultAuthority',
    kind: 'text',
    default: 'https://login.microsoftonline.com',
    env: 'BERTH_KEY_VAULT_AUTHORITY',
    flag: 'key-vault-authority',
    placeholder: 'URL',
    check: authorityProblem,
    help: 'Where the application that reads key vaults signs in; that of another cloud of Azure, where the vaults are in one.',
  },
] as const satisfies readonly Setting[];

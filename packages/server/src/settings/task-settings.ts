import type { Setting } from './setting.ts';

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
] as const satisfies readonly Setting[];

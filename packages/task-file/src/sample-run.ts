import type { Dictionary } from './template/index.ts';

/**
 * `.Run` (acr-tasks 2.1) with a value of its kind for each name, for whoever checks a task file before there is a run.
 * What the values will be, only runs know.
 */
export const sampleRun: Dictionary = {
  ID: 'ca1',
  Registry: 'registry.example',
  RegistryName: 'registry',
  Date: '20000101-000000z',
  Commit: '0000000',
  Branch: 'main',
  TaskName: 'task',
  TriggeredBy: 'Manual',
  SharedVolume: 'workspace',
  OS: 'linux',
  Architecture: 'amd64',
};

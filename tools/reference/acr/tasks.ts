import { type AcrGroup, collection, differs, works } from './entry.ts';

export const tasks: AcrGroup = {
  title: 'Resource manager: Tasks',
  operations: [
    works('POST R/listBuildSourceUploadUrl', 'arm-list-build-source-upload-url'),
    works('POST R/scheduleRun', 'arm-schedule-run'),
    works('GET R/runs', 'arm-list-runs'),
    works('GET R/runs/{id}', 'arm-get-run'),
    works('PATCH R/runs/{id}', 'arm-patch-run'),
    differs(
      'POST R/runs/{id}/listLogSasUrl',
      'arm-list-log-sas-url',
      'never a `logArtifactLink`: `logTemplate` is kept and not used',
    ),
    works('POST R/runs/{id}/cancel', 'arm-cancel-run'),
    ...collection('R/tasks', 'task', 'identities are kept and grant nothing; more kinds of repositories, filters and timers'),
    works('POST R/tasks/{name}/listDetails', 'arm-task-list-details'),
    ...collection('R/taskRuns', 'task-run', 'the answer does not wait for the run; `provisioningState` follows it'),
    works('POST R/taskRuns/{name}/listDetails', 'arm-task-run-list-details'),
    ...collection(
      'R/agentPools',
      'agent-pool',
      'a name that agents join by their key; `count` and `tier` are kept and start nothing',
    ),
    works('POST R/agentPools/{name}/listQueueStatus', 'arm-agent-pool-list-queue-status'),
  ],
};

import { type AcrGroup, noCollection, notYet } from './entry.ts';

const why = 'building images';

export const tasks: AcrGroup = {
  title: 'Resource manager: Tasks',
  operations: [
    notYet('POST R/listBuildSourceUploadUrl', why),
    notYet('POST R/scheduleRun', why),
    notYet('GET R/runs', why),
    notYet('GET R/runs/{id}', why),
    notYet('PATCH R/runs/{id}', why),
    notYet('POST R/runs/{id}/listLogSasUrl', why),
    notYet('POST R/runs/{id}/cancel', why),
    ...noCollection('R/tasks', why),
    notYet('POST R/tasks/{name}/listDetails', why),
    ...noCollection('R/taskRuns', why),
    notYet('POST R/taskRuns/{name}/listDetails', why),
    ...noCollection('R/agentPools', why),
    notYet('POST R/agentPools/{name}/listQueueStatus', why),
  ],
};

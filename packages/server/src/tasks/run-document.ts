import type { Run } from '@berth/api';
import type { RunFacts, RunTrigger } from '../runs/index.ts';
import type { Registry } from '../tenancy/index.ts';

/** A run as the resource manager shows it (acr-tasks 6.3); `steps`, `queue` and `dependencies` are Berth's. */
export function runDocument(registry: Registry, facts: RunFacts, run: Run): object {
  return {
    id: `${registry.resourceId}/runs/${facts.id}`,
    name: facts.id,
    type: 'Microsoft.ContainerRegistry/registries/runs',
    properties: runProperties(facts, run),
  };
}

/** What ACR leaves out is null here: clients of all versions find the members they look for. */
function runProperties(facts: RunFacts, run: Run): object {
  return {
    runId: facts.id,
    status: facts.status,
    lastUpdatedTime: timeText(facts.updatedAt),
    runType: facts.runType,
    agentPoolName: facts.agentPool,
    createTime: timeText(facts.createdAt),
    startTime: timeText(facts.startedAt),
    finishTime: timeText(facts.finishedAt),
    outputImages: facts.images.map(({ registry, repository, tag, digest }) => ({ registry, repository, tag, digest })),
    task: facts.task,
    ...triggerProperties(facts.trigger),
    platform: {
      os: facts.platform.os,
      architecture: facts.platform.architecture ?? 'amd64',
      ...(facts.platform.variant !== undefined && { variant: facts.platform.variant }),
    },
    agentConfiguration: { cpu: 2 },
    sourceRegistryAuth: null,
    customRegistries: null,
    runErrorMessage: facts.error,
    updateTriggerToken: facts.updateToken,
    logArtifact: null,
    provisioningState: 'Succeeded',
    isArchiveEnabled: facts.isArchived,
    agent: run.agent,
    queue: run.queue,
    steps: run.steps,
    dependencies: run.dependencies,
  };
}

function triggerProperties(trigger: RunTrigger | null): object {
  return {
    imageUpdateTrigger:
      trigger?.kind === 'baseImage' ? { id: trigger.id, timestamp: trigger.timestamp, images: trigger.images } : null,
    sourceTrigger:
      trigger?.kind === 'source'
        ? {
            id: trigger.id,
            eventType: trigger.eventType,
            commitId: trigger.commitId,
            pullRequestId: trigger.pullRequestId ?? null,
            repositoryUrl: trigger.repositoryUrl,
            branchName: trigger.branchName,
            providerType: trigger.providerType,
          }
        : null,
    timerTrigger:
      trigger?.kind === 'timer' ? { timerTriggerName: trigger.name, scheduleOccurrence: trigger.scheduleOccurrence } : null,
  };
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

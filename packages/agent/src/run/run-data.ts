import type { Dictionary } from '@berth/task-file';
import type { EngineFacts } from '../engine/index.ts';
import type { RunHost } from './run-host.ts';

export interface SourceFacts {
  readonly commit: string;
  readonly branch: string;
}

/** `.Run` of templates (acr-tasks 2.1). */
export function runData(
  { run }: RunHost['assignment'],
  { os, architectures }: EngineFacts,
  { commit, branch, sharedVolume }: SourceFacts & { readonly sharedVolume: string },
): Dictionary {
  return {
    ID: run.id,
    Registry: run.registry,
    RegistryName: run.registryName,
    Date: run.date,
    Commit: commit,
    Branch: branch,
    TaskName: run.taskName,
    TriggeredBy: run.triggeredBy,
    SharedVolume: sharedVolume,
    OS: os.toLowerCase(),
    Architecture: architectures[0],
    OSVersion: '',
    Repository: '',
    GitTag: '',
  };
}

import { type Step, type StepAction, workspace } from './model.ts';

/** A step with nothing said of it but what it does; the defaults of all else (acr-tasks 1.2). */
export function plainStep(id: string, action: StepAction, timeoutSeconds: number): Step {
  return {
    id,
    action,
    condition: 'success',
    timeoutSeconds,
    startDelaySeconds: 0,
    ignoresErrors: false,
    environment: [],
    retries: 0,
    // A delay of 0 means 5 s, too (acr-tasks 1.3).
    retryDelaySeconds: 5,
    retryOnErrors: [],
    repeat: 0,
    downloadRetries: 0,
    downloadRetryDelaySeconds: 0,
    pulls: false,
    entryPoint: undefined,
    isKept: false,
    isDetached: false,
    isPrivileged: false,
    user: undefined,
    network: undefined,
    ports: [],
    expose: [],
    isolation: undefined,
    cpus: undefined,
    workingDirectory: workspace,
    volumeMounts: [],
    exitedWith: [],
    exitedWithout: [],
    place: undefined,
  };
}

export type { Place } from './place.ts';
export { type Problem, TaskFileError, problemText } from './task-file-error.ts';
export { type Dictionary, type Value, functionNames, isDictionary, render } from './template/index.ts';
export { sampleRun } from './sample-run.ts';
export type { AliasOptions } from './aliases.ts';
export { type TaskFileInput, aliasSources, parseTaskFile } from './parse/parse-task-file.ts';
export {
  type Network,
  type SecretSource,
  type Step,
  type StepAction,
  type TaskFile,
  type Volume,
  type VolumeMount,
  isSuccess,
  workspace,
} from './parse/model.ts';
export { plainStep } from './parse/plain-step.ts';
export type { Flag } from './command/read-flags.ts';
export { type RunCommand, parseRunCommand } from './command/run-command.ts';
export type { Attests } from './command/read-attests.ts';
export { type BuildCommand, parseBuildCommand } from './command/build-command.ts';
export { type Condition, type Move, Scheduler, type StepOutcome, type StepState } from './graph/scheduler.ts';
export { type HiddenInput, findHiddenInput } from './dockerfile/hidden-inputs.ts';
export { type ImageReference, parseImageReference } from './dockerfile/image-reference.ts';
export { type BaseImage, type DockerfileScan, type ScanOptions, scanDockerfile } from './dockerfile/scan-dockerfile.ts';

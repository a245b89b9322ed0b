import type { Static } from 'typebox';
import type { claimRun, reportRun } from './operations/agents.ts';
import type {
  assignment,
  baseImage,
  dependency,
  logRecord,
  namedValue,
  outputImage,
  platform,
  registryLogin,
  run,
  source,
  step,
  work,
} from './operations/run-words.ts';
import type { queueRun } from './operations/runs.ts';

/** What clients, server and agents tell one another about runs. */

export type Run = Static<typeof run>;
export type RunStatus = Run['status'];
export type RunWork = Static<typeof work>;
export type RunSource = Static<typeof source>;
export type RunPlatform = Static<typeof platform>;
export type RunStep = Static<typeof step>;
export type NamedValue = Static<typeof namedValue>;
export type RegistryLogin = Static<typeof registryLogin>;
export type OutputImage = Static<typeof outputImage>;
export type BaseImageUse = Static<typeof baseImage>;
export type BuildDependency = Static<typeof dependency>;
export type LogRecord = Static<typeof logRecord>;
export type Assignment = Static<typeof assignment>;
export type RunToQueue = Static<typeof queueRun.body>;
export type ClaimRequest = Static<typeof claimRun.body>;
export type RunReport = Static<typeof reportRun.body>;

/** The header in which an agent proves that it holds a run. */
export const leaseHeader = 'berth-lease';

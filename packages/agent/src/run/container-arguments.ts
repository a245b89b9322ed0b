import type { Step } from '@berth/task-file';
import type { RunFlags } from './run-flags.ts';
import type { RunLimits } from './run-host.ts';

export interface ContainerScene {
  readonly engine: 'docker' | 'podman' | 'buildah';
  readonly isWindows: boolean;
  readonly limitsSwap: boolean;
  readonly limits: RunLimits;
  readonly name: string;
  readonly labels: readonly string[];
  readonly network: string;
  /** Names of the container in its network. */
  readonly aliases: readonly string[];
  /** `--volume` values. */
  readonly volumes: readonly string[];
  readonly environmentFlags: readonly string[];
  readonly flags: RunFlags;
  /** Its id. */
  readonly image: string;
  readonly isDetached: boolean;
}

/** The arguments of the engine's client that run the container of a step. Flags of the step come first: limits have the last word. */
export function containerArguments(step: Step, scene: ContainerScene): readonly string[] {
  const { action } = step;
  if (action.kind !== 'cmd') throw new Error(`the step ${step.id} runs no container`);
  const { flags, isDetached } = scene;
  const entryPoint = flags.entryPoint ?? step.entryPoint;
  const workingDirectory = flags.workingDirectory ?? folderOf(step.workingDirectory, scene.isWindows);
  const user = flags.user ?? step.user;
  const isolation = step.isolation;
  return [
    'run',
    ...flags.passed,
    '--pull=never',
    `--name=${scene.name}`,
    ...scene.labels,
    ...(isDetached ? ['--detach'] : []),
    // A detached one is looked at when it has ended.
    ...(isDetached || step.isKept ? [] : ['--rm']),
    ...logFlags(scene),
    ...(scene.engine === 'podman' ? ['--http-proxy=false'] : []),
    `--network=${scene.network}`,
    ...(hasAliases(scene.network) ? scene.aliases.map((alias) => `--network-alias=${alias}`) : []),
    ...scene.volumes.map((volume) => `--volume=${volume}`),
    ...scene.environmentFlags,
    ...step.ports.map((port) => `--publish=${port}`),
    ...step.expose.map((port) => `--expose=${port}`),
    ...(entryPoint === undefined ? [] : [`--entrypoint=${entryPoint}`]),
    ...(workingDirectory === undefined ? [] : [`--workdir=${workingDirectory}`]),
    ...(user === undefined ? [] : [`--user=${user}`]),
    ...(isolation === undefined || !scene.isWindows ? [] : [`--isolation=${isolation}`]),
    ...(step.isPrivileged || flags.isPrivileged ? ['--privileged'] : []),
    ...limitFlags(step, scene),
    scene.image,
    ...action.command.arguments,
  ];
}

/** Aliases are for networks that somebody made. */
function hasAliases(network: string): boolean {
  return !['none', 'host', 'bridge', 'default', 'nat'].includes(network) && !network.startsWith('container:');
}

/** What an attached container prints is read as it comes, and kept nowhere else. */
function logFlags({ engine, isDetached }: ContainerScene): readonly string[] {
  if (!isDetached) return ['--log-driver=none'];
  return [`--log-driver=${engine === 'docker' ? 'json-file' : 'k8s-file'}`, '--log-opt=max-size=20m'];
}

function limitFlags(step: Step, { limits, flags, isWindows, limitsSwap }: ContainerScene): readonly string[] {
  const memory = Math.min(flags.memoryBytes ?? limits.memoryBytes, limits.memoryBytes);
  const processes = flags.processes === undefined || flags.processes === 0 ? limits.processes : flags.processes;
  const cpus = flags.cpus ?? step.cpus;
  return [
    `--memory=${memory}`,
    ...(limitsSwap ? [`--memory-swap=${memory}`] : []),
    ...(isWindows ? [] : [`--pids-limit=${Math.min(processes, limits.processes)}`]),
    ...(cpus === undefined ? [] : [`--cpus=${cpus}`]),
  ];
}

/** `/workspace/x` is `c:\workspace\x` on Windows. */
export function folderOf(folder: string | undefined, isWindows: boolean): string | undefined {
  if (folder === undefined || !isWindows || !folder.startsWith('/')) return folder;
  return `c:${folder.replaceAll('/', '\\')}`;
}

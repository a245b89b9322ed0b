import type { BuildDependency } from '@berth/api';
import { parseRegistryAddress } from '../../platform/registry-client/index.ts';
import type { RunFacts } from '../../runs/index.ts';
import type { Task } from '../../tasks/index.ts';
import type { Registry } from '../../tenancy/index.ts';

/** An image as tasks build on it. */
export interface BaseImageName {
  /** Host and port in lower case; a registry of this deployment by its login server. */
  readonly server: string;
  readonly repository: string;
  readonly tag: string;
}

export interface UsedBaseImage extends BaseImageName {
  readonly role: 'runtime' | 'buildtime';
  readonly digest: string;
}

/**
 * How the base images of a task are watched. `off`: it has no trigger for them. `paused`: the trigger or the task is
 * disabled; what moves is recorded, and nobody looks at other registries.
 */
export type Watch = 'off' | 'Runtime' | 'All' | 'Runtime paused' | 'All paused';

export function watchOf({ properties }: Pick<Task, 'properties'>): Watch {
  const { baseImageTrigger } = properties.trigger;
  if (baseImageTrigger === undefined) return 'off';
  const type = baseImageTrigger.baseImageTriggerType;
  return properties.status === 'Enabled' && baseImageTrigger.status === 'Enabled' ? type : `${type} paused`;
}

export function isWatched(watch: Watch, role: UsedBaseImage['role']): boolean {
  return watch !== 'off' && (role === 'runtime' || watch.startsWith('All'));
}

export function isPaused(watch: Watch): boolean {
  return watch.endsWith('paused');
}

export function nameOf({ server, repository, tag }: BaseImageName): string {
  return `${server}/${repository}:${tag}`;
}

/** As tasks stand in chains. */
export function taskKey(registry: Pick<Registry, 'name'>, task: string): string {
  return `${registry.name}/${task}`;
}

/** Tasks whose runs led to what a run pushes, itself included. */
export function chainOf(run: RunFacts, registry: Pick<Registry, 'name'>): readonly string[] {
  const before = run.trigger?.kind === 'baseImage' ? (run.trigger.chain ?? []) : [];
  const own = run.task === null ? [] : [taskKey(registry, run.task)];
  return [...new Set([...before, ...own])];
}

/** Runs of other people's changes say nothing about what the task is built on. */
export function tellsBaseImages({ task, status, trigger }: RunFacts): boolean {
  const isOthers = trigger?.kind === 'source' && trigger.eventType === 'pullrequest';
  return task !== null && status === 'Succeeded' && !isOthers;
}

const maxBaseImages = 200;

/**
 * The images that a run was built on, by tag: what is pinned by its digest never moves. One that was used by several digests, because
 * it moved meanwhile, counts by a digest that it has no more.
 */
export function usedBaseImages(
  dependencies: readonly BuildDependency[],
  registries: readonly Registry[],
): readonly UsedBaseImage[] {
  const used = new Map<string, UsedBaseImage>();
  for (const { role, registry, repository, tag, digest } of dependencies.flatMap(({ bases }) => bases)) {
    if (tag === null || repository === 'scratch') continue;
    const place = placeOf(registry, repository, registries);
    if (place === undefined) continue;
    const image = { ...place, tag, role, digest };
    const known = used.get(nameOf(image));
    // Used first is older.
    const first = known ?? image;
    if (known === undefined && used.size >= maxBaseImages) continue;
    used.set(nameOf(image), role === 'runtime' ? { ...first, role } : first);
  }
  return [...used.values()];
}

function placeOf(
  host: string,
  repository: string,
  registries: readonly Registry[],
): Pick<BaseImageName, 'server' | 'repository'> | undefined {
  const local = registryAt(host, registries);
  if (local !== undefined) return { server: serverOf(local), repository };
  const address = parseRegistryAddress(host);
  return address && { server: address.host, repository: address.repositoryName(repository) };
}

export function serverOf({ loginServer }: Pick<Registry, 'loginServer'>): string {
  return loginServer.toLowerCase();
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?=:|$)/;

/** A registry of this deployment by the host that an image names; this machine has several names. */
export function registryAt(host: string, registries: readonly Registry[]): Registry | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(loopback, 'localhost');
  return registries.find(({ loginServer }) => plain(loginServer) === plain(host));
}

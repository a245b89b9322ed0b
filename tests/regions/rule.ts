import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { Change, Fact, Stamp } from '@berth/api';
import type { Region } from './region.ts';
import type { SeenRepository } from './seen.ts';

/**
 * What must come of everything that was done, by the rule as the guide tells it and with code of its own: all that happened, in the
 * order of the clocks, one thing after the other, as if one registry had done it.
 */

export interface Happening {
  readonly action: Change['action'];
  readonly stamp: Stamp;
  readonly repository: string;
  readonly name: string;
  /** Of tags that were set. */
  readonly digest: string | undefined;
  readonly values: Readonly<Record<string, number | string | null>>;
}

/** All that the logs of the regions have of a repository, each once. */
export function happeningsOf(regions: readonly Region[], repository: string): readonly Happening[] {
  const found = new Map<string, Happening>();
  for (const region of regions) {
    const database = new DatabaseSync(join(region.dataDir, 'berth.db'), { readOnly: true });
    try {
      const rows = database
        .prepare('select action, fact from changes where repository = ? order by sequence')
        .all(repository) as unknown as readonly { readonly action: Change['action']; readonly fact: string }[];
      for (const { action, fact } of rows) {
        const happening = happeningOf(action, JSON.parse(fact) as Fact);
        if (happening === undefined) continue;
        const { stamp, name, digest } = happening;
        found.set(JSON.stringify([happening.action, stamp, name, digest]), happening);
      }
    } finally {
      database.close();
    }
  }
  return [...found.values()].toSorted((a, b) => byStamp(a.stamp, b.stamp));
}

function byStamp(a: Stamp, b: Stamp): number {
  if (a.clock !== b.clock) return a.clock - b.clock;
  if (a.origin === b.origin) return 0;
  return a.origin < b.origin ? -1 : 1;
}

function happeningOf(action: Change['action'], fact: Fact): Happening | undefined {
  const { repository, name, set, deleted, attributes = {} } = fact;
  const first = Object.values(attributes)[0];
  const stamp = { attributes: first, pull: undefined }[action as 'attributes'] ?? (isDeletion(action) ? deleted : set);
  if (stamp === undefined || action === 'pull') return undefined;
  return {
    action,
    stamp: { clock: stamp.clock, origin: stamp.origin },
    repository,
    name,
    digest: set?.digest,
    values: Object.fromEntries(Object.entries(attributes).map(([key, { value }]) => [key, value])),
  };
}

function isDeletion(action: Change['action']): boolean {
  return action === 'delete' || action === 'untag' || action === 'delete-repository';
}

const attributeNames: Readonly<Record<string, string>> = {
  delete_enabled: 'deleteEnabled',
  write_enabled: 'writeEnabled',
  list_enabled: 'listEnabled',
  read_enabled: 'readEnabled',
};

/** What the repository has to look like, everywhere. Undefined: it is gone, or empty. */
export function expectedOf(happenings: readonly Happening[]): SeenRepository | undefined {
  const tags = new Map<string, string>();
  const manifests = new Set<string>();
  const attributes = new Map<string, Map<string, number | string | null>>();
  const forget = (name: string): void => void attributes.delete(name);
  for (const { action, name, digest, values } of happenings) {
    switch (action) {
      case 'push':
      case 'renew':
        manifests.add(name);
        break;
      case 'tag':
        tags.set(name, digest ?? '');
        break;
      case 'untag':
        tags.delete(name);
        forget(`tag:${name}`);
        break;
      case 'delete':
        manifests.delete(name);
        forget(name);
        for (const [tag, named] of tags) if (named === name) tags.delete(tag);
        break;
      case 'delete-repository':
        tags.clear();
        manifests.clear();
        attributes.clear();
        break;
      case 'attributes': {
        const of = name.includes(':') || name === '' ? name : `tag:${name}`;
        const known = attributes.get(of) ?? new Map<string, number | string | null>();
        for (const [key, value] of Object.entries(values)) known.set(key, value);
        attributes.set(of, known);
        break;
      }
      case 'pull':
        break;
    }
  }
  const shown = [...tags].filter(([, digest]) => manifests.has(digest));
  if (manifests.size === 0) return undefined;
  return {
    tags: Object.fromEntries(shown),
    manifests: [...manifests].toSorted(),
    locks: locksOf(attributes, shown, manifests),
  };
}

function locksOf(
  attributes: ReadonlyMap<string, ReadonlyMap<string, number | string | null>>,
  tags: readonly (readonly [string, string])[],
  manifests: ReadonlySet<string>,
): SeenRepository['locks'] {
  const there = new Set([...manifests, ...tags.map(([tag]) => `tag:${tag}`)]);
  const locks: Record<string, readonly string[]> = {};
  for (const [name, values] of attributes) {
    const off = Object.keys(attributeNames).filter((key) => values.get(key) === 0);
    if (there.has(name) && off.length > 0) locks[name] = off.map((key) => attributeNames[key] ?? key);
  }
  return locks;
}

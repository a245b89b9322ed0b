import type { ChangeAction, Fact, FactAttribute, FactRequest, Stamp } from '@berth/api';
import { type ChangeRow, type WriteQueries, prepareWrite } from '../platform/database/index.ts';
import { type Register, nextClock } from './model.ts';
import { logFacts } from './queries.ts';
import { joinRegister } from './registers.ts';

/** Something that was done here, to one name. */
export type LocalChange =
  | {
      readonly action: 'push' | 'renew' | 'delete';
      readonly repository: string;
      readonly digest: string;
      readonly content?: Omit<NonNullable<Fact['content']>, 'bytes'>;
      /** False: tags that were set with a push tell of it; a deletion is a part of another. */
      readonly isVisible?: boolean;
      /** Of a deletion: those that went with it. */
      readonly tags?: readonly string[];
    }
  | {
      readonly action: 'tag';
      readonly repository: string;
      readonly tag: string;
      readonly digest: string;
      readonly content?: Omit<NonNullable<Fact['content']>, 'bytes'>;
    }
  | {
      readonly action: 'untag';
      readonly repository: string;
      readonly tag: string;
      /** False: it went with its manifest. */
      readonly isVisible?: boolean;
    }
  | { readonly action: 'delete-repository'; readonly repository: string }
  | {
      readonly action: 'attributes';
      readonly repository: string;
      /** Whose; the repository's own without. */
      readonly of: { readonly tag: string } | { readonly digest: string } | undefined;
      readonly values: Readonly<Partial<Record<FactAttribute, number | string | null>>>;
      /** False: they came back with what was restored. */
      readonly isVisible?: boolean;
    }
  | {
      readonly action: 'pull';
      readonly repository: string;
      readonly digest: string /** Milliseconds. */;
      readonly pulledAt: number;
    };

export interface RecordChanges {
  readonly registryId: number;
  readonly changes: readonly LocalChange[];
  /** Who asked for it; absent: the registry itself did it. */
  readonly request?: FactRequest | undefined;
  /** Milliseconds. */
  readonly now: number;
}

export interface Recorded {
  /** What the names have come to, in the order of the changes; undefined where the registry is not replicated. */
  readonly registers: readonly Register[] | undefined;
}

/**
 * Writes what was done here into the log, and, in replicated registries, into the registers. To be called last in the
 * transaction that does it, when everything is locked: then the stamp is later than all that was seen. Where no other region
 * reads it, what matters to other regions alone is left out.
 */
export async function recordChanges(tx: WriteQueries, { registryId, changes, request, now }: RecordChanges): Promise<Recorded> {
  if (changes.length === 0) return nothing;
  const log = await logFacts.first(tx, { registryId });
  const isReplicated = log?.is_replicated === 1;
  const told = isReplicated ? changes : changes.filter(isForWebhooks);
  if (log === undefined || told.length === 0) return nothing;
  const stamp: Stamp = { clock: nextClock(now, log.seen ?? 0), origin: log.region };
  const registers: Register[] = [];
  for (const change of told) {
    const fact = factOf(change, stamp, request);
    if (isReplicated) registers.push((await joinRegister(tx, registryId, fact)).register);
    await append.run(tx, changeRow({ registryId, stamp, action: change.action, fact, isVisible: isVisible(change), now }));
  }
  return { registers: isReplicated ? registers : undefined };
}

const nothing: Recorded = { registers: undefined };

const append = prepareWrite<Omit<ChangeRow, 'sequence'>, never>((tx, row) => tx.insertInto('changes').values(columns(row)));

/** Parameters come by name: there is nothing to spread. */
function columns(row: Omit<ChangeRow, 'sequence'>): Omit<ChangeRow, 'sequence'> {
  const { registry_id, clock, origin, action, repository, fact, is_visible, created_at } = row;
  return { registry_id, clock, origin, action, repository, fact, is_visible, created_at };
}

/** Of tags that went with a manifest some want to know. */
function isForWebhooks(change: LocalChange): boolean {
  return change.action === 'untag' || isVisible(change);
}

/** Whether clients see it: webhooks are told of it. */
export function isVisible(change: LocalChange): boolean {
  if (change.action === 'renew' || change.action === 'pull') return false;
  return 'isVisible' in change ? (change.isVisible ?? true) : true;
}

export interface ChangeToWrite {
  readonly registryId: number;
  /** When and where it was done first. */
  readonly stamp: Stamp;
  readonly action: ChangeAction;
  readonly fact: Fact;
  readonly isVisible: boolean;
  readonly now: number;
}

/** A row of the log; also for what other regions told. Bytes of manifests are no part of it. */
export function changeRow({ registryId, stamp, action, fact, isVisible, now }: ChangeToWrite) {
  const { bytes: _, ...content } = fact.content ?? { bytes: undefined };
  return {
    registry_id: registryId,
    clock: stamp.clock,
    origin: stamp.origin,
    action,
    repository: fact.repository,
    fact: JSON.stringify({ ...fact, ...(fact.content !== undefined && { content }) }),
    is_visible: isVisible ? 1 : 0,
    created_at: now,
  };
}

/** What other regions are told of it. */
export function factOf(change: LocalChange, stamp: Stamp, request: FactRequest | undefined): Fact {
  const { repository } = change;
  const asked = request === undefined ? {} : { request };
  switch (change.action) {
    case 'push':
    case 'renew':
      return { kind: 'manifest', repository, name: change.digest, set: stamp, ...contentOf(change), ...asked };
    case 'delete':
      return {
        kind: 'manifest',
        repository,
        name: change.digest,
        deleted: stamp,
        ...contentOf(change),
        ...(change.tags !== undefined && change.tags.length > 0 && { tags: change.tags }),
        ...asked,
      };
    case 'tag':
      return {
        kind: 'tag',
        repository,
        name: change.tag,
        set: { ...stamp, digest: change.digest },
        ...contentOf(change),
        ...asked,
      };
    case 'untag':
      return { kind: 'tag', repository, name: change.tag, deleted: stamp, ...asked };
    case 'delete-repository':
      return { kind: 'repository', repository, name: '', deleted: stamp, ...asked };
    case 'pull':
      return { kind: 'manifest', repository, name: change.digest, pulledAt: change.pulledAt };
    case 'attributes':
      return { ...nameOf(change.of), repository, attributes: attributesOf(change.values, stamp), ...asked };
  }
}

function contentOf({ content }: { readonly content?: Fact['content'] }): Pick<Fact, 'content'> {
  return content === undefined ? {} : { content };
}

function nameOf(of: { readonly tag: string } | { readonly digest: string } | undefined): Pick<Fact, 'kind' | 'name'> {
  if (of === undefined) return { kind: 'repository', name: '' };
  return 'tag' in of ? { kind: 'tag', name: of.tag } : { kind: 'manifest', name: of.digest };
}

function attributesOf(
  values: Readonly<Partial<Record<FactAttribute, number | string | null>>>,
  stamp: Stamp,
): NonNullable<Fact['attributes']> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, ...stamp }]));
}

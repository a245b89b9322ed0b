import type { AttributeValue, Fact, FactAttribute, Stamp } from '@berth/api';

/** The rules by which facts of several regions become one state. Pure: any order, any number of times, the same result. */

/** Counter values within a millisecond; the clock stays a safe integer until the year 2248. */
export const ticksPerMs = 1024;

/** What was never done. */
export const never: Stamp = { clock: 0, origin: '' };

/** The clock of something that is done now by somebody who has seen everything up to `seen`. */
export function nextClock(nowMs: number, seen: number): number {
  return Math.max(nowMs * ticksPerMs, seen + 1);
}

/** Milliseconds since the epoch. */
export function timeOf(clock: number): number {
  return Math.floor(clock / ticksPerMs);
}

/** Negative: `a` was before `b`. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return a.clock - b.clock || compareTexts(a.origin, b.origin);
}

export function isLater(a: Stamp, b: Stamp): boolean {
  return compareStamps(a, b) > 0;
}

/** By code unit, as both engines sort. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

type Attributes = Readonly<Partial<Record<FactAttribute, AttributeValue>>>;

/** The joined state of one name. */
export interface Register {
  readonly set: Stamp & { readonly digest: string | undefined };
  readonly deleted: Stamp;
  readonly attributes: Attributes;
}

export const emptyRegister: Register = { set: { ...never, digest: undefined }, deleted: never, attributes: {} };

export interface Joined {
  readonly register: Register;
  /** The fact told something new. */
  readonly isAdvanced: boolean;
  /** Two regions had set different things without knowing of each other's, and one of them gave way. */
  readonly isConflict: boolean;
}

/** Joins what was told into what is known. */
export function join(known: Register, fact: Pick<Fact, 'set' | 'deleted' | 'attributes'>): Joined {
  const set = fact.set === undefined ? known.set : laterSet(known.set, { ...fact.set, digest: fact.set.digest });
  const deleted = fact.deleted !== undefined && isLater(fact.deleted, known.deleted) ? fact.deleted : known.deleted;
  const attributes = joinAttributes(known.attributes, fact.attributes ?? {});
  const isAdvanced = set !== known.set || deleted !== known.deleted || attributes !== known.attributes;
  return { register: isAdvanced ? { set, deleted, attributes } : known, isAdvanced, isConflict: isConflict(known, fact) };
}

function laterSet(known: Register['set'], told: Register['set']): Register['set'] {
  // The digest last: a region that was restored from a backup may give out a stamp a second time.
  const order = compareStamps(told, known) || compareTexts(told.digest ?? '', known.digest ?? '');
  return order > 0 ? told : known;
}

function joinAttributes(known: Attributes, told: Attributes): Attributes {
  let joined = known;
  for (const name of Object.keys(told) as FactAttribute[]) {
    const [before, after] = [known[name], told[name]];
    if (after === undefined) continue;
    const order =
      before === undefined
        ? 1
        : compareStamps(after, before) || compareTexts(JSON.stringify(after.value), JSON.stringify(before.value));
    if (order > 0) joined = { ...joined, [name]: after };
  }
  return joined;
}

/** What was told names another image than what is known, and neither region had seen the other's. */
function isConflict({ set, deleted }: Register, fact: Pick<Fact, 'set'>): boolean {
  if (fact.set === undefined || set.clock === 0 || isLater(deleted, set)) return false;
  return (
    fact.set.digest !== undefined && fact.set.digest !== set.digest && fact.set.origin !== set.origin && isLater(set, fact.set)
  );
}

/** Whether a name is there, in a repository that was deleted then. */
export function isThere({ set, deleted }: Pick<Register, 'set' | 'deleted'>, repositoryDeleted: Stamp): boolean {
  return set.clock > 0 && isLater(set, deleted) && isLater(set, repositoryDeleted);
}

/** Whether a tag is to be shown that names this manifest, which may have been deleted after it was tagged. */
export function isTagThere(tag: Register, manifest: Register, repositoryDeleted: Stamp): boolean {
  return isThere(tag, repositoryDeleted) && isThere(manifest, repositoryDeleted) && isLater(tag.set, manifest.deleted);
}

/** The attributes that hold: what was said before the name was last deleted went with it. */
export function attributesThatHold({ deleted, attributes }: Register, repositoryDeleted: Stamp): Attributes {
  const entries = Object.entries(attributes).filter(([, value]) => isLater(value, deleted) && isLater(value, repositoryDeleted));
  return Object.fromEntries(entries) as Attributes;
}

/** The values of those attributes. */
export function valuesThatHold(
  register: Register,
  repositoryDeleted: Stamp,
): Readonly<Partial<Record<FactAttribute, AttributeValue['value']>>> {
  const held = Object.entries(attributesThatHold(register, repositoryDeleted));
  return Object.fromEntries(held.map(([name, { value }]) => [name, value]));
}

import type { AttributeValue, Fact, FactAttribute } from '@berth/api';
import { ticksPerMs } from '../../changes/index.ts';

const flags: readonly string[] = ['delete_enabled', 'write_enabled', 'list_enabled', 'read_enabled'];
const verdicts: readonly unknown[] = ['Passed', 'Failed', null];
/** As what clients may write of a decision, twice over. */
const maxDetails = 32 * 1024;

/**
 * Whether a fact, whose form `Peer` has checked, can become rows here: attributes have the values that columns take, a
 * repository is never set, a tag names a manifest.
 */
export function canBeMerged({ kind, set, attributes = {} }: Fact): boolean {
  if (kind === 'repository' && set !== undefined) return false;
  if (kind === 'tag' && set !== undefined && set.digest === undefined) return false;
  return (Object.entries(attributes) as [FactAttribute, AttributeValue][]).every(
    ([name, { value }]) => isValue(name, value) && (kind === 'manifest' || flags.includes(name)),
  );
}

function isValue(name: FactAttribute, value: AttributeValue['value']): boolean {
  if (flags.includes(name)) return value === 0 || value === 1;
  if (name === 'quarantine_state') return verdicts.includes(value);
  return value === null || (typeof value === 'string' && value.length <= maxDetails);
}

/** Whether something is said to have been done later than any clock may say now (attack 39: a clock that runs ahead wins for ever). */
export function isAhead(
  { set, deleted, attributes = {} }: Fact,
  { now, maxSkewMs }: { readonly now: number; readonly maxSkewMs: number },
): boolean {
  const latest = (now + maxSkewMs) * ticksPerMs;
  return [set, deleted, ...Object.values(attributes)].some((stamp) => stamp !== undefined && stamp.clock > latest);
}

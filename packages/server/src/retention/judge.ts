import { type Position, isOlder } from './model.ts';
import type { Rule } from './rules.ts';

/** A rule in one repository. */
export interface RuleHere {
  readonly rule: Rule;
  /** The oldest of the newest tags that `keepLast` keeps; `all` when there are no more than those. */
  readonly oldestKept: Position | 'all' | undefined;
}

export interface JudgedTag extends Position {
  /** Undefined when it is not known. */
  readonly pulledAt: number | undefined;
}

/** Keeps win: what one rule keeps no other takes. */
type Verdict = { readonly is: 'kept' } | { readonly is: 'taken'; readonly reason: string } | { readonly is: 'unconcerned' };

/** Why a tag goes; undefined when it stays. The order of the rules does not matter. */
export function reasonToUntag(rules: readonly RuleHere[], tag: JudgedTag, now: number): string | undefined {
  return together(rules.map((here) => [here.rule, verdictOnTag(here, tag, now)] as const));
}

function verdictOnTag({ rule, oldestKept }: RuleHere, tag: JudgedTag, now: number): Verdict {
  if (!rule.judgesTags || !rule.matchesTag(tag.name)) return { is: 'unconcerned' };
  const { keepNewerThan, keepPulledWithin, keepLast, repositories, tags = '*' } = rule.definition;
  const isAmongNewest = oldestKept === 'all' || (oldestKept !== undefined && !isOlder(tag, oldestKept));
  if (isAmongNewest || isWithin(rule.keepNewerThanMs, tag.at, now) || isPulled(rule, tag.pulledAt, now)) return { is: 'kept' };
  const reasons = [
    ...(keepNewerThan === undefined ? [] : [`older than ${keepNewerThan}`]),
    ...(keepPulledWithin === undefined ? [] : [`not pulled within ${keepPulledWithin}`]),
    keepLast === undefined || keepLast === 0
      ? `matches ${repositories}:${tags}`
      : `not among the newest ${keepLast} of ${repositories}:${tags}`,
  ];
  return { is: 'taken', reason: reasons.join(', ') };
}

export interface JudgedManifest {
  readonly updatedAt: number;
  /** When its last tag went; null when it never had one. */
  readonly untaggedAt: number | null;
  readonly pulledAt: number | undefined;
}

/** Why an untagged manifest goes, which nothing needs; undefined when it stays. */
export function reasonToDelete(rules: readonly Rule[], manifest: JudgedManifest, now: number): string | undefined {
  return together(rules.map((rule) => [rule, verdictOnManifest(rule, manifest, now)] as const));
}

function verdictOnManifest(rule: Rule, { updatedAt, untaggedAt, pulledAt }: JudgedManifest, now: number): Verdict {
  const { untaggedOlderThanMs, definition } = rule;
  if (untaggedOlderThanMs === undefined) return { is: 'unconcerned' };
  const since = Math.max(updatedAt, untaggedAt ?? 0);
  if (isWithin(untaggedOlderThanMs, since, now) || isPulled(rule, pulledAt, now)) return { is: 'kept' };
  const pulled = definition.keepPulledWithin === undefined ? '' : `, not pulled within ${definition.keepPulledWithin}`;
  return { is: 'taken', reason: `without a tag for ${definition.untaggedOlderThan} or longer${pulled}` };
}

function together(verdicts: readonly (readonly [Rule, Verdict])[]): string | undefined {
  let reason: { readonly rule: string; readonly text: string } | undefined;
  for (const [{ name }, verdict] of verdicts) {
    if (verdict.is === 'kept') return undefined;
    if (verdict.is === 'taken' && (reason === undefined || name < reason.rule)) reason = { rule: name, text: verdict.reason };
  }
  return reason && `${reason.text} (rule ${reason.rule})`;
}

function isWithin(durationMs: number | undefined, at: number, now: number): boolean {
  return durationMs !== undefined && at > now - durationMs;
}

/** Nobody knows when it was pulled: then it may have been a moment ago. */
function isPulled({ keepPulledWithinMs }: Rule, pulledAt: number | undefined, now: number): boolean {
  return keepPulledWithinMs !== undefined && (pulledAt === undefined || isWithin(keepPulledWithinMs, pulledAt, now));
}

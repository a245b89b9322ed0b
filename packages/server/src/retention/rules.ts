import { RegistryError } from '../errors/index.ts';
import { parseDuration } from './durations.ts';
import { type NameMatch, compileGlob } from './patterns.ts';

/** As an operator writes it; kept as it was written. */
export interface RuleDefinition {
  readonly repositories: string;
  readonly tags?: string;
  readonly keepLast?: number;
  readonly keepNewerThan?: string;
  readonly keepPulledWithin?: string;
  readonly untaggedOlderThan?: string;
}

/** The same, ready to judge. */
export interface Rule {
  readonly name: string;
  readonly definition: RuleDefinition;
  readonly matchesRepository: NameMatch;
  readonly matchesTag: NameMatch;
  readonly keepLast: number | undefined;
  readonly keepNewerThanMs: number | undefined;
  readonly keepPulledWithinMs: number | undefined;
  readonly untaggedOlderThanMs: number | undefined;
  /** It judges tags; a rule that says nothing but `untaggedOlderThan` leaves them alone. */
  readonly judgesTags: boolean;
}

export const maxRules = 100;

/** @throws INVALID_PARAMETER naming the field */
export function parseRule(name: string, definition: RuleDefinition): Rule {
  if (!isRuleName(name)) {
    const message = `"${name.slice(0, 64)}" is no name of a rule: write up to 64 lower-case letters, digits and hyphens`;
    throw new RegistryError('INVALID_PARAMETER', { message, target: 'name' });
  }
  const { repositories, tags, keepLast, keepNewerThan, keepPulledWithin, untaggedOlderThan } = definition;
  const judgesTags =
    keepLast !== undefined || keepNewerThan !== undefined || (keepPulledWithin !== undefined && isAboutTags(definition));
  if (!judgesTags && (untaggedOlderThan === undefined || tags !== undefined)) {
    throw new RegistryError('INVALID_PARAMETER', {
      message:
        `the rule ${name} does not say what stays: give keepLast, keepNewerThan or keepPulledWithin for tags, ` +
        'or untaggedOlderThan for manifests without any; "keepLast": 0 takes every tag that matches',
    });
  }
  const duration = (text: string | undefined, target: string) => (text === undefined ? undefined : parseDuration(text, target));
  return {
    name,
    definition,
    matchesRepository: compileGlob(repositories, 'repositories'),
    matchesTag: compileGlob(tags ?? '*', 'tags'),
    keepLast,
    keepNewerThanMs: duration(keepNewerThan, 'keepNewerThan'),
    keepPulledWithinMs: duration(keepPulledWithin, 'keepPulledWithin'),
    untaggedOlderThanMs: duration(untaggedOlderThan, 'untaggedOlderThan'),
    judgesTags,
  };
}

export function isRuleName(name: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/.test(name);
}

/** `keepPulledWithin` beside `untaggedOlderThan` alone speaks of untagged manifests. */
function isAboutTags({ tags, untaggedOlderThan }: RuleDefinition): boolean {
  return tags !== undefined || untaggedOlderThan === undefined;
}

import { matchesPattern } from './claim-pattern.ts';

/** What a token's payload says, once its signature is known to be right. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** A federated credential with the identity that it signs in as. */
export interface CredentialRule {
  readonly id: string;
  readonly name: string;
  readonly identityId: string;
  readonly identityName: string;
  readonly clientId: string;
  readonly audiences: readonly string[];
  /** By claim, the pattern that its value must match. */
  readonly claims: Readonly<Record<string, string>>;
}

/** More are not named in a refusal: the message ends in a terminal. */
const maxNamed = 3;
const maxValueLength = 200;

export interface Match {
  readonly rules: readonly CredentialRule[];
  /** Why there is none. */
  readonly reason: string;
}

/** The credentials that a token satisfies, or why it satisfies none. Their issuer has been compared before. */
export function matchClaims(candidates: readonly CredentialRule[], claims: TokenClaims): Match {
  const checked = candidates.map((rule) => ({ rule, wrong: findWrong(rule, claims) }));
  const rules = checked.flatMap(({ rule, wrong }) => (wrong.length === 0 ? [rule] : []));
  if (rules.length > 0) return { rules, reason: '' };
  // The nearest first: it is the one that was meant.
  const nearest = checked.toSorted((a, b) => a.wrong.length - b.wrong.length).slice(0, maxNamed);
  const said = nearest.map(({ rule, wrong }) => `${wrong.join(' and ')} of ${rule.identityName}/${rule.name}`);
  const rest = checked.length - nearest.length;
  return {
    rules: [],
    reason: `${describeToken(claims)} does not match ${said.join(', nor ')}${rest > 0 ? `, nor ${rest} more` : ''}`,
  };
}

/** The names of what does not fit: `aud`, or claims. */
function findWrong(rule: CredentialRule, claims: TokenClaims): readonly string[] {
  const audiences = textsOf(claims['aud']);
  const wrongAudience = rule.audiences.some((each) => audiences.includes(each)) ? [] : ['aud'];
  const wrongClaims = Object.entries(rule.claims).flatMap(([name, pattern]) =>
    textsOf(findClaim(claims, name)).some((value) => matchesPattern(value, pattern)) ? [] : [name],
  );
  return [...wrongAudience, ...wrongClaims];
}

/** A claim by its name, by names with dots between them, or by names with a slash before each when a name has dots itself. */
function findClaim(claims: TokenClaims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  const path = name.startsWith('/')
    ? name
        .slice(1)
        .split('/')
        .map((each) => each.replaceAll('~1', '/').replaceAll('~0', '~'))
    : name.split('.');
  let value: unknown = claims;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}

/** What there is to compare: text, numbers and truths as text, each element of a list. */
function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((each: unknown) => (Array.isArray(each) ? [] : textsOf(each)));
  if (typeof value === 'string') return [value];
  return typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];
}

/** Only what the bearer knows of the token: no pattern, no other claim. */
function describeToken(claims: TokenClaims): string {
  const show = (name: string): string => `${name} ${JSON.stringify(textsOf(claims[name]).join(' ').slice(0, maxValueLength))}`;
  return `a token with ${show('iss')}, ${show('aud')} and ${show('sub')}`;
}

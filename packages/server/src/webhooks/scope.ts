/**
 * What a webhook is about (acr-api 5.1): nothing for everything, `repository` (its tag `latest`), `repository:tag`,
 * `repository:*` (all of it); a repository that ends in `*` stands for all that begin so.
 */
export interface Scope {
  readonly repository: string;
  readonly isPrefix: boolean;
  /** Undefined: every tag, and what has none. */
  readonly tag: string | undefined;
}

const repositoryPattern = /^[a-z0-9]+(?:(?:[._]|__|-+|\/)[a-z0-9]+)*$/;
const prefixPattern = /^[a-z0-9._/-]*\*$/;
const tagPattern = /^(?:\*|[A-Za-z0-9_][A-Za-z0-9._-]{0,127})$/;
const maxLength = 512;

/** Undefined: it is no scope. */
export function parseScope(text: string): Scope | undefined {
  if (text === '') return { repository: '', isPrefix: true, tag: undefined };
  if (text.length > maxLength) return undefined;
  const colon = text.indexOf(':');
  const name = colon === -1 ? text : text.slice(0, colon);
  const isPrefix = name.endsWith('*');
  if (!(isPrefix ? prefixPattern : repositoryPattern).test(name)) return undefined;
  const repository = isPrefix ? name.slice(0, -1) : name;
  // A wildcard that says no tag means whole repositories: nobody has a `latest` of all of them in mind.
  if (colon === -1) return { repository, isPrefix, tag: isPrefix ? undefined : 'latest' };
  const tag = text.slice(colon + 1);
  if (!tagPattern.test(tag)) return undefined;
  return { repository, isPrefix, tag: tag === '*' ? undefined : tag };
}

function coversRepository({ repository, isPrefix }: Scope, name: string): boolean {
  return isPrefix ? name.startsWith(repository) : name === repository;
}

/**
 * Whether something that happened is within a scope. `tags`: those that it is about. Of a whole repository that goes every tag
 * goes with it (`all`).
 */
export function covers(scope: Scope, repository: string, tags: readonly string[] | 'all'): boolean {
  if (!coversRepository(scope, repository)) return false;
  return scope.tag === undefined || tags === 'all' || tags.includes(scope.tag);
}

/**
 * Paths of the resource manager are matched whatever their case (acr-api 3): before routing, each word that the contract
 * writes takes its spelling. Names of resources keep theirs, unless they are such a word: they are compared in lower case.
 */
export class ResourcePaths {
  readonly #words: ReadonlyMap<string, string>;

  /** `paths`: of the operations, with parameters in braces. */
  constructor(paths: readonly string[]) {
    const words = paths.flatMap((path) => path.split('/')).filter((word) => word !== '' && !word.startsWith('{'));
    this.#words = new Map(words.map((word) => [word.toLowerCase(), word]));
  }

  /** The path and query of a request; clients whose endpoint ends in a slash begin it with two. */
  fold(url: string): string {
    if (!/^\/{1,2}(?:subscriptions|providers|tenants)(?:[/?]|$)/i.test(url)) return url;
    const queryAt = url.indexOf('?');
    const path = (queryAt === -1 ? url : url.slice(0, queryAt)).replace(/^\/\//, '/');
    const folded = path
      .split('/')
      .map((word) => this.#words.get(word.toLowerCase()) ?? word)
      .join('/');
    return queryAt === -1 ? folded : folded + url.slice(queryAt);
  }
}

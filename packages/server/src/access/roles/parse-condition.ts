import { compileActionPattern } from './action-pattern.ts';
import type { Condition } from './condition.ts';
import { type Token, conditionError, conditionTokens } from './condition-tokens.ts';
import { findOperator } from './string-operators.ts';

const maxDepth = 64;
const repositoryName = 'request[microsoft.containerregistry/registries/repositories:name]';

/**
 * Reads the condition of a role assignment, version 2.0 (acr-api 2.7): `ActionMatches{…}`, comparisons of the repository's
 * name, AND, OR, NOT and parentheses. AND binds stronger than OR.
 * @throws INVALID_PARAMETER naming the place
 */
export function parseCondition(source: string): Condition {
  const parser = new ConditionParser(conditionTokens(source));
  return parser.parse();
}

class ConditionParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Condition {
    const condition = this.#any();
    if (this.#peek().kind !== 'end') throw unexpected(this.#peek(), 'AND, OR or the end');
    return condition;
  }

  #any(): Condition {
    return this.#chain('any', ['||', 'or'], () => this.#all());
  }

  #all(): Condition {
    return this.#chain('all', ['&&', 'and'], () => this.#one());
  }

  #chain(kind: 'any' | 'all', joints: readonly string[], next: () => Condition): Condition {
    const first = next();
    const parts = [first];
    while (this.#take(joints) !== undefined) parts.push(next());
    return parts.length === 1 ? first : { kind, parts };
  }

  #one(): Condition {
    const negation = this.#take(['!', 'not']);
    if (negation !== undefined) return this.#deeper(negation, () => ({ kind: 'not', part: this.#one() }));
    const opening = this.#take(['(']);
    if (opening !== undefined)
      return this.#deeper(opening, () => {
        const inner = this.#any();
        this.#expect(')');
        return inner;
      });
    if (this.#take(['actionmatches']) !== undefined) return this.#actionMatches();
    return this.#comparison();
  }

  /** The parser and `holds` recurse; a stranger must not choose how deep. */
  #deeper(token: Token, inner: () => Condition): Condition {
    if (this.#depth === maxDepth) throw conditionError(`it is nested deeper than ${maxDepth}`, token.position);
    this.#depth += 1;
    const condition = inner();
    this.#depth -= 1;
    return condition;
  }

  #actionMatches(): Condition {
    this.#expect('{');
    const pattern = this.#text('the name of an action in quotes');
    this.#expect('}');
    return { kind: 'action', matches: compileActionPattern(pattern) };
  }

  #comparison(): Condition {
    const attribute = this.#next();
    if (attribute.kind !== 'attribute') throw unexpected(attribute, 'ActionMatches{…}, @Request[…], ! or an opening parenthesis');
    if (attribute.text.toLowerCase() !== repositoryName)
      throw conditionError(
        `@${attribute.text} is not supported: only @Request[Microsoft.ContainerRegistry/registries/repositories:name] is`,
        attribute.position,
      );
    const word = this.#next();
    const operator = word.kind === 'word' ? findOperator(word.text) : undefined;
    if (operator === undefined) throw unexpected(word, 'a string operator such as StringEqualsIgnoreCase');
    const values = operator.takesList ? this.#list() : [this.#text('a text in quotes')];
    return { kind: 'repository-name', matches: operator.compile(values) };
  }

  #list(): readonly string[] {
    this.#expect('{');
    const values: string[] = [];
    do values.push(this.#text('a text in quotes'));
    while (this.#take([',']) !== undefined);
    this.#expect('}');
    return values;
  }

  #text(wanted: string): string {
    const token = this.#next();
    if (token.kind !== 'text' || token.text === '') throw unexpected(token, wanted);
    return token.text;
  }

  #expect(symbol: string): void {
    if (this.#take([symbol]) === undefined) throw unexpected(this.#peek(), `"${symbol}"`);
  }

  /** The next token if it is one of these symbols or words, written in lower case. */
  #take(choices: readonly string[]): Token | undefined {
    const token = this.#peek();
    if (token.kind !== 'symbol' && token.kind !== 'word') return undefined;
    return choices.includes(token.text.toLowerCase()) ? this.#next() : undefined;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  #peek(): Token {
    const token = this.#tokens[this.#at] ?? this.#tokens.at(-1);
    if (token === undefined) throw new Error('a condition has no tokens, not even its end');
    return token;
  }
}

function unexpected({ kind, text, position }: Token, wanted: string): Error {
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text;
  return conditionError(`${wanted} is missing, there is ${kind === 'end' ? 'nothing more' : JSON.stringify(shown)}`, position);
}

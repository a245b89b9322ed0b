import { placeOf } from '../place.ts';
import { TaskFileError } from '../task-file-error.ts';
import type { Command, Node, Operand, Pipeline, Template } from './nodes.ts';
import { type Token, tokensOf } from './tokens.ts';

/** Deeper nesting than anybody writes. */
const maxDepth = 100;
const keywords: ReadonlySet<string> = new Set([
  'if',
  'range',
  'with',
  'else',
  'end',
  'define',
  'template',
  'block',
  'break',
  'continue',
]);

/** @param source the template; @param isFunction tells which functions there are. @throws TaskFileError with line and column */
export function parseTemplate(source: string, isFunction: (name: string) => boolean): Template {
  return new Parser(source, isFunction).parse();
}

class Parser {
  readonly #source: string;
  readonly #isFunction: (name: string) => boolean;
  readonly #tokens: readonly Token[];
  readonly #defined = new Map<string, readonly Node[]>();
  #at = 0;
  #depth = 0;

  constructor(source: string, isFunction: (name: string) => boolean) {
    this.#source = source;
    this.#isFunction = isFunction;
    this.#tokens = tokensOf(source);
  }

  parse(): Template {
    const { nodes, end } = this.#list();
    if (end !== undefined) throw this.#problem(`there is nothing for this {{${end.word}}} to end`, end.offset);
    return { nodes, defined: this.#defined };
  }

  /** Nodes up to an `else` or `end`, which is left for the caller with its action open. */
  #list(): {
    readonly nodes: readonly Node[];
    readonly end: { readonly word: 'else' | 'end'; readonly offset: number } | undefined;
  } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined) return { nodes, end: undefined };
      this.#at += 1;
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const word = this.#keyword();
      if (word === 'end' || word === 'else') return { nodes, end: { word, offset: token.offset } };
      const node = word === undefined ? this.#action() : this.#statement(word, token.offset);
      if (node !== undefined) nodes.push(node);
    }
  }

  #statement(word: string, offset: number): Node | undefined {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw this.#problem(`templates are nested more than ${maxDepth} deep`, offset);
    try {
      switch (word) {
        case 'if':
        case 'with':
        case 'range':
          return this.#branch(word, offset);
        case 'define':
          this.#define(offset);
          return undefined;
        case 'block':
          return this.#block(offset);
        case 'template':
          return this.#template(offset);
        default:
          this.#close();
          return { kind: word === 'break' ? 'break' : 'continue' };
      }
    } finally {
      this.#depth -= 1;
    }
  }

  #branch(kind: 'if' | 'with' | 'range', offset: number): Node {
    const pipeline = this.#pipeline('close');
    const { nodes: body, end } = this.#list();
    if (end === undefined) throw this.#problem(`the {{${kind}}} here has no {{end}}`, offset);
    if (end.word === 'end') {
      this.#close();
      return { kind, pipeline, body, otherwise: [] };
    }
    const chained = this.#keyword();
    if (chained === 'if' || chained === 'with') {
      const otherwise = this.#statement(chained, end.offset);
      return { kind, pipeline, body, otherwise: otherwise === undefined ? [] : [otherwise] };
    }
    this.#close();
    const { nodes: otherwise, end: last } = this.#list();
    if (last?.word !== 'end') throw this.#problem(`the {{${kind}}} here has no {{end}}`, offset);
    this.#close();
    return { kind, pipeline, body, otherwise };
  }

  #define(offset: number): void {
    const name = this.#name(offset);
    this.#close();
    this.#defined.set(name, this.#body('define', offset));
  }

  #block(offset: number): Node {
    const name = this.#name(offset);
    const pipeline = this.#pipeline('close');
    this.#defined.set(name, this.#body('block', offset));
    return { kind: 'template', name, pipeline, offset };
  }

  #template(offset: number): Node {
    const name = this.#name(offset);
    this.#skipSpace();
    if (this.#tokens[this.#at]?.kind !== 'close') return { kind: 'template', name, pipeline: this.#pipeline('close'), offset };
    this.#close();
    return { kind: 'template', name, pipeline: undefined, offset };
  }

  #body(word: string, offset: number): readonly Node[] {
    const { nodes, end } = this.#list();
    if (end?.word !== 'end') throw this.#problem(`the {{${word}}} here has no {{end}}`, offset);
    this.#close();
    return nodes;
  }

  #name(offset: number): string {
    this.#skipSpace();
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'string') throw this.#problem('the name of a template is a quoted text', token?.offset ?? offset);
    this.#at += 1;
    return token.value;
  }

  #action(): Node {
    return { kind: 'action', pipeline: this.#pipeline('close') };
  }

  #pipeline(until: 'close' | 'right'): Pipeline {
    const offset = this.#offset();
    const { variables, isAssignment } = this.#variables();
    const commands: Command[] = [];
    for (;;) {
      commands.push(this.#command());
      const token = this.#tokens[this.#at];
      this.#at += 1;
      if (token?.kind === until) return { variables, isAssignment, commands, offset };
      if (token?.kind !== 'pipe') throw this.#unexpected(token);
    }
  }

  /** `$x :=`, `$x =`, `$i, $x :=`; whatever else begins like that is left alone. */
  #variables(): { readonly variables: readonly string[]; readonly isAssignment: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#tokens[this.#at];
      if (token?.kind !== 'variable') break;
      variables.push(token.name);
      this.#at += 1;
      this.#skipSpace();
      const next = this.#tokens[this.#at];
      this.#at += 1;
      if (next?.kind === 'declare' || next?.kind === 'assign') return { variables, isAssignment: next.kind === 'assign' };
      if (next?.kind !== 'comma' || variables.length === 2) break;
    }
    this.#at = start;
    return { variables: [], isAssignment: false };
  }

  #command(): Command {
    const operands: Operand[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#tokens[this.#at];
      if (token === undefined || token.kind === 'close' || token.kind === 'right' || token.kind === 'pipe') break;
      operands.push(this.#operand(token));
    }
    if (operands.length === 0) throw this.#problem('a value or a function is missing here', this.#offset());
    return { operands };
  }

  #operand(token: Token): Operand {
    this.#at += 1;
    const { offset } = token;
    const first = this.#plainOperand(token);
    const names: string[] = [];
    for (let next = this.#tokens[this.#at]; next?.kind === 'field'; next = this.#tokens[this.#at]) {
      names.push(next.name);
      this.#at += 1;
    }
    if (first.kind === 'fields' && first.of === undefined) return { ...first, names: [...first.names, ...names] };
    if (names.length === 0) return first;
    if (first.kind === 'constant') throw this.#problem('a constant has no fields', offset);
    return { kind: 'fields', of: first, names, offset };
  }

  #plainOperand(token: Token): Operand {
    const { offset } = token;
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others begin no operand
    switch (token.kind) {
      case 'string':
      case 'number':
        return { kind: 'constant', value: token.value, offset };
      case 'dot':
        return { kind: 'dot', offset };
      case 'field':
        return { kind: 'fields', of: undefined, names: [token.name], offset };
      case 'variable':
        return { kind: 'variable', name: token.name, offset };
      case 'word':
        return this.#wordOperand(token.name, offset);
      case 'left':
        return this.#parenthesis(offset);
      default:
        throw this.#unexpected(token);
    }
  }

  #parenthesis(offset: number): Operand {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw this.#problem(`templates are nested more than ${maxDepth} deep`, offset);
    const pipeline = this.#pipeline('right');
    this.#depth -= 1;
    return { kind: 'pipeline', pipeline, offset };
  }

  #wordOperand(name: string, offset: number): Operand {
    if (name === 'true' || name === 'false') return { kind: 'constant', value: name === 'true', offset };
    if (name === 'nil') return { kind: 'constant', value: null, offset };
    if (!this.#isFunction(name))
      throw this.#problem(`there is no function "${name}"; values are written with a dot, such as .Values.${name}`, offset);
    return { kind: 'function', name, offset };
  }

  /** The keyword that an action begins with, taken. */
  #keyword(): string | undefined {
    const start = this.#at;
    this.#skipSpace();
    const token = this.#tokens[this.#at];
    if (token?.kind === 'word' && keywords.has(token.name)) {
      this.#at += 1;
      return token.name;
    }
    this.#at = start;
    return undefined;
  }

  #close(): void {
    this.#skipSpace();
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'close') throw this.#unexpected(token);
    this.#at += 1;
  }

  #skipSpace(): void {
    while (this.#tokens[this.#at]?.kind === 'space') this.#at += 1;
  }

  #offset(): number {
    return this.#tokens[this.#at]?.offset ?? this.#source.length;
  }

  #unexpected(token: Token | undefined): TaskFileError {
    return this.#problem('this does not belong here', token?.offset ?? this.#source.length);
  }

  #problem(message: string, offset: number): TaskFileError {
    return new TaskFileError([{ message, place: placeOf(this.#source, offset) }]);
  }
}

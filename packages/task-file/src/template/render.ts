import { placeOf } from '../place.ts';
import { TaskFileError } from '../task-file-error.ts';
import type { FunctionScene, FunctionTable } from './functions.ts';
import type { Command, Node, Operand, Pipeline, Template } from './nodes.ts';
import { type Dictionary, type Value, isDictionary, isList, isTrue, kindOf, memberOf, textOf } from './values.ts';

/** A template must not fill the memory or run for ever (attack 34). */
const maxOutput = 1024 * 1024;
const maxSteps = 200_000;
const maxCalls = 100;

export interface RenderInput {
  readonly source: string;
  readonly template: Template;
  readonly functions: FunctionTable;
  readonly data: Dictionary;
}

/** @throws TaskFileError with the place of what failed */
export function renderTemplate(input: RenderInput): string {
  return new Renderer(input).render();
}

type Flow = 'break' | 'continue' | undefined;

/** Variables of one nesting; inner ones hide outer ones. */
interface Scope {
  readonly variables: Map<string, Value>;
  readonly outer: Scope | undefined;
}

class Renderer {
  readonly #input: RenderInput;
  readonly #scene: FunctionScene;
  #output = '';
  #steps = 0;
  #calls = 0;
  #offset = 0;

  constructor(input: RenderInput) {
    this.#input = input;
    this.#scene = { spend: (units) => this.#spend(units) };
  }

  render(): string {
    const { template, data } = this.#input;
    this.#nodes(template.nodes, data, rootScope(data));
    return this.#output;
  }

  #nodes(nodes: readonly Node[], dot: Value, scope: Scope): Flow {
    const inner: Scope = { variables: new Map(), outer: scope };
    for (const node of nodes) {
      const flow = this.#node(node, dot, inner);
      if (flow !== undefined) return flow;
    }
    return undefined;
  }

  #node(node: Node, dot: Value, scope: Scope): Flow {
    this.#spend(1);
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return undefined;
      case 'action': {
        const value = this.#pipeline(node.pipeline, dot, scope);
        if (node.pipeline.variables.length === 0) this.#write(textOf(value));
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'template':
        this.#call(node, dot, scope);
        return undefined;
      case 'range':
        return this.#range(node, dot, scope);
      case 'if':
      case 'with': {
        const inner: Scope = { variables: new Map(), outer: scope };
        const value = this.#pipeline(node.pipeline, dot, inner);
        if (isTrue(value)) return this.#nodes(node.body, node.kind === 'with' ? value : dot, inner);
        return this.#nodes(node.otherwise, dot, inner);
      }
    }
  }

  #range({ pipeline, body, otherwise }: Extract<Node, { kind: 'range' }>, dot: Value, scope: Scope): Flow {
    const { variables, ...plain } = pipeline;
    const value = this.#pipeline({ ...plain, variables: [] }, dot, scope);
    const entries = this.#entriesOf(value, pipeline.offset);
    if (entries.length === 0) return this.#nodes(otherwise, dot, scope);
    for (const [key, element] of entries) {
      this.#spend(1);
      const inner: Scope = { variables: new Map(), outer: scope };
      const [first, second] = variables;
      if (second !== undefined && first !== undefined) {
        inner.variables.set(first, key);
        inner.variables.set(second, element);
      } else if (first !== undefined) inner.variables.set(first, element);
      if (this.#nodes(body, element, inner) === 'break') break;
    }
    return undefined;
  }

  #entriesOf(value: Value, offset: number): readonly (readonly [Value, Value])[] {
    if (value === null) return [];
    if (isList(value)) return value.map((element, index) => [index, element] as const);
    if (isDictionary(value))
      return Object.keys(value)
        .toSorted()
        .map((name) => [name, value[name] ?? null] as const);
    if (typeof value === 'number' && Number.isInteger(value)) {
      this.#spend(Math.max(0, value));
      return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index] as const);
    }
    throw this.#problem(`range goes over lists and maps, not over a ${kindOf(value)}`, offset);
  }

  #call({ name, pipeline, offset }: Extract<Node, { kind: 'template' }>, dot: Value, scope: Scope): void {
    const nodes = this.#input.template.defined.get(name);
    if (nodes === undefined) throw this.#problem(`there is no template ${JSON.stringify(name)}`, offset);
    const value = pipeline === undefined ? null : this.#pipeline(pipeline, dot, scope);
    this.#calls += 1;
    if (this.#calls > maxCalls) throw this.#problem(`templates call one another more than ${maxCalls} deep`, offset);
    this.#nodes(nodes, value, rootScope(value));
    this.#calls -= 1;
  }

  #pipeline({ commands, variables, isAssignment }: Pipeline, dot: Value, scope: Scope): Value {
    let value: Value | undefined;
    for (const command of commands) value = this.#command(command, { dot, scope, piped: value });
    const result = value ?? null;
    const [name] = variables;
    if (name !== undefined) {
      if (isAssignment) this.#assign(scope, name, result);
      else scope.variables.set(name, result);
    }
    return result;
  }

  #command(
    { operands }: Command,
    { dot, scope, piped }: { readonly dot: Value; readonly scope: Scope; readonly piped: Value | undefined },
  ): Value {
    const [first, ...rest] = operands;
    if (first === undefined) return null;
    if (first.kind === 'function') return this.#function(first, rest, { dot, scope, piped });
    if (rest.length > 0 || piped !== undefined)
      throw this.#problem('this is a value, which takes no arguments; a function would', first.offset);
    return this.#operand(first, dot, scope);
  }

  #function(
    { name, offset }: Extract<Operand, { kind: 'function' }>,
    operands: readonly Operand[],
    { dot, scope, piped }: { readonly dot: Value; readonly scope: Scope; readonly piped: Value | undefined },
  ): Value {
    const given = operands.length + (piped === undefined ? 0 : 1);
    const { functions } = this.#input;
    const found = functions[name];
    if (found === undefined) throw this.#problem(`there is no function "${name}"`, offset);
    const [least, most] = found.takes;
    if (given < least || given > most) throw this.#problem(`${name} takes ${countText(least, most)}, not ${given}`, offset);
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, operands, { dot, scope, piped });
    const values = operands.map((operand) => this.#operand(operand, dot, scope));
    if (piped !== undefined) values.push(piped);
    this.#spend(1);
    this.#offset = offset;
    try {
      return found.call(values, this.#scene);
    } catch (error) {
      if (error instanceof TaskFileError || !(error instanceof Error)) throw error;
      throw this.#problem(`${name} ${error.message}`, offset);
    }
  }

  /** Go evaluates no further than it has to. */
  #shortCircuit(
    name: 'and' | 'or',
    operands: readonly Operand[],
    { dot, scope, piped }: { readonly dot: Value; readonly scope: Scope; readonly piped: Value | undefined },
  ): Value {
    let value: Value = null;
    for (const operand of operands) {
      value = this.#operand(operand, dot, scope);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped ?? value;
  }

  #operand(operand: Operand, dot: Value, scope: Scope): Value {
    switch (operand.kind) {
      case 'constant':
        return operand.value;
      case 'dot':
        return dot;
      case 'variable':
        return this.#variable(scope, operand.name, operand.offset);
      case 'pipeline':
        return this.#pipeline(operand.pipeline, dot, scope);
      case 'function':
        return this.#function(operand, [], { dot, scope, piped: undefined });
      case 'fields': {
        const start = operand.of === undefined ? dot : this.#operand(operand.of, dot, scope);
        return operand.names.reduce<Value>((value, name) => this.#member(value, name, operand.offset), start);
      }
    }
  }

  /** What is missing is nothing, and so are its members: no error (acr-tasks 2). */
  #member(value: Value, name: string, offset: number): Value {
    if (value !== null && !isDictionary(value))
      throw this.#problem(`.${name} is asked of a ${kindOf(value)}, which has no members`, offset);
    return memberOf(value, name);
  }

  #variable(scope: Scope, name: string, offset: number): Value {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
      const value = at.variables.get(name);
      if (value !== undefined) return value;
    }
    throw this.#problem(`there is no variable ${name}`, offset);
  }

  #assign(scope: Scope, name: string, value: Value): void {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.outer)
      if (at.variables.has(name)) {
        at.variables.set(name, value);
        return;
      }
    throw this.#problem(`there is no variable ${name} to assign to; := makes one`, this.#offset);
  }

  #write(text: string): void {
    this.#output += text;
    if (this.#output.length > maxOutput)
      throw this.#problem(`the template makes more than ${maxOutput} characters`, this.#offset);
  }

  #spend(units: number): void {
    this.#steps += units;
    if (this.#steps > maxSteps) throw this.#problem('the template does more work than a task file may', this.#offset);
  }

  #problem(message: string, offset: number): TaskFileError {
    return new TaskFileError([{ message, place: placeOf(this.#input.source, offset) }]);
  }
}

function rootScope(data: Value): Scope {
  return { variables: new Map([['$', data]]), outer: undefined };
}

function countText(least: number, most: number): string {
  const words = (count: number): string => `${count} argument${count === 1 ? '' : 's'}`;
  if (least === most) return words(least);
  return most === Number.POSITIVE_INFINITY ? `at least ${words(least)}` : `${least} to ${words(most)}`;
}

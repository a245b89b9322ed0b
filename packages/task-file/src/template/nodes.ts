/** A template, parsed. Offsets are those of the source. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: 'range'; readonly pipeline: Pipeline; readonly body: readonly Node[]; readonly otherwise: readonly Node[] }
  | { readonly kind: 'break' | 'continue' }
  | { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined; readonly offset: number };

export interface Pipeline {
  /** Variables that take the value; two for the index and the element of a range. */
  readonly variables: readonly string[];
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
  readonly offset: number;
}

/** A function or value with arguments. */
export interface Command {
  readonly operands: readonly Operand[];
}

export type Operand =
  | { readonly kind: 'constant'; readonly value: string | number | boolean | null; readonly offset: number }
  | { readonly kind: 'dot'; readonly offset: number }
  /** Fields of the dot, or of what `of` is. */
  | { readonly kind: 'fields'; readonly of: Operand | undefined; readonly names: readonly string[]; readonly offset: number }
  | { readonly kind: 'variable'; readonly name: string; readonly offset: number }
  | { readonly kind: 'function'; readonly name: string; readonly offset: number }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly offset: number };

export interface Template {
  readonly nodes: readonly Node[];
  /** By name, what `define` and `block` made. */
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}

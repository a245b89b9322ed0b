import { type Document, LineCounter, type Node, type Pair, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { nearest } from '../command/read-flags.ts';
import type { Place } from '../place.ts';
import type { Problem } from '../task-file-error.ts';

/** A YAML document whose members are read one by one; what is wrong is gathered with its place. */
export class YamlSource {
  readonly problems: Problem[] = [];
  readonly #lines = new LineCounter();
  readonly #document: Document;

  constructor(text: string) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, uniqueKeys: true, prettyErrors: false });
    for (const error of this.#document.errors) this.report(error.message.split('\n')[0] ?? '', error.pos[0]);
  }

  root(): NodeReader | undefined {
    const { contents } = this.#document;
    if (this.problems.length > 0) return undefined;
    if (isMap(contents)) return new NodeReader(this, contents, '');
    this.report('a task file is a map with version and steps', contents?.range?.[0]);
    return undefined;
  }

  /** What an anchor stands for. */
  resolve(node: Node): Node {
    return isAlias(node) ? (node.resolve(this.#document) ?? node) : node;
  }

  report(message: string, offset?: number): void {
    this.problems.push({ message, place: this.placeOf(offset) });
  }

  placeOf(offset: number | undefined): Place | undefined {
    if (offset === undefined) return undefined;
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }
}

/** One node, and how it is called in messages. Members that are not of the asked kind are reported, and taken as absent. */
export class NodeReader {
  readonly source: YamlSource;
  readonly name: string;
  readonly #node: Node;

  constructor(source: YamlSource, node: Node, name: string) {
    this.source = source;
    this.#node = source.resolve(node);
    this.name = name;
  }

  get place(): Place | undefined {
    return this.source.placeOf(this.#node.range?.[0]);
  }

  report(message: string): void {
    this.source.report(message, this.#node.range?.[0]);
  }

  /** Reports members that are not among these, with the nearest that is. */
  requireKnown(known: readonly string[]): void {
    for (const { key } of this.#pairs()) {
      const name = isScalar(key) ? String(key.value) : '';
      if (known.includes(name)) continue;
      const near = nearest(name, known);
      const offset = (key as Node | null)?.range?.[0];
      this.source.report(`${this.#path(name)} is not known${near === undefined ? '' : `; did you mean ${near}?`}`, offset);
    }
  }

  has(name: string): boolean {
    return this.child(name) !== undefined;
  }

  /** Undefined for what is absent, null or without a value. */
  child(name: string): NodeReader | undefined {
    const value = this.#pairs().find(({ key }) => isScalar(key) && key.value === name)?.value as Node | null | undefined;
    if (value === null || value === undefined || (isScalar(value) && value.value === null)) return undefined;
    return new NodeReader(this.source, value, this.#path(name));
  }

  text(name: string): string | undefined {
    const child = this.child(name);
    return child === undefined ? undefined : child.#asText();
  }

  flag(name: string): boolean {
    const child = this.child(name);
    if (child === undefined) return false;
    const value = isScalar(child.#node) ? child.#node.value : undefined;
    if (typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    child.report(`${child.name} is true or false`);
    return false;
  }

  whole(name: string, most = 1_000_000): number | undefined {
    const child = this.child(name);
    if (child === undefined) return undefined;
    const value = isScalar(child.#node) ? Number(child.#node.value) : Number.NaN;
    if (Number.isInteger(value) && value >= 0 && value <= most) return value;
    child.report(`${child.name} is a whole number from 0 to ${most}`);
    return undefined;
  }

  /** A list of texts, or one text alone. */
  texts(name: string): readonly string[] | undefined {
    const child = this.child(name);
    if (child === undefined) return undefined;
    if (isScalar(child.#node)) return [child.#asText() ?? ''];
    return child.items().flatMap((item) => item.#asText() ?? []);
  }

  wholes(name: string): readonly number[] {
    return (this.child(name)?.items() ?? []).flatMap((item) => {
      const value = isScalar(item.#node) ? Number(item.#node.value) : Number.NaN;
      if (Number.isInteger(value) && value >= 0 && value <= 255) return [value];
      item.report(`${item.name} is an exit code from 0 to 255`);
      return [];
    });
  }

  /** The elements of a list. */
  items(): readonly NodeReader[] {
    if (!isSeq(this.#node)) {
      this.report(`${this.name} is a list`);
      return [];
    }
    return this.#node.items.map((item, index) => new NodeReader(this.source, item as Node, `${this.name}[${index}]`));
  }

  members(): readonly (readonly [name: string, value: NodeReader])[] {
    return this.#pairs().flatMap(({ key, value }) =>
      isScalar(key) && value !== null
        ? [[String(key.value), new NodeReader(this.source, value as Node, this.#path(String(key.value)))] as const]
        : [],
    );
  }

  isMap(): boolean {
    return isMap(this.#node);
  }

  #asText(): string | undefined {
    if (isScalar(this.#node) && this.#node.value !== null && typeof this.#node.value !== 'object') {
      // A number is meant as it is written: `1.10` is no 1.1.
      return typeof this.#node.value === 'string' ? this.#node.value : (this.#node.source ?? JSON.stringify(this.#node.value));
    }
    this.report(`${this.name} is a text`);
    return undefined;
  }

  #pairs(): readonly Pair[] {
    return isMap(this.#node) ? this.#node.items : [];
  }

  #path(name: string): string {
    return this.name === '' ? name : `${this.name}.${name}`;
  }
}

/** A look into JSON that somebody else wrote: what is missing or of another kind is undefined, at any depth. */
export class Json {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** Undefined: it is not JSON. */
  static parse(text: string): Json | undefined {
    try {
      return new Json(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  at(...path: readonly string[]): Json {
    let value = this.#value;
    for (const name of path) {
      const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
      value = isThere ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
    }
    return new Json(value);
  }

  get isThere(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  text(): string | undefined {
    return typeof this.#value === 'string' ? this.#value : undefined;
  }

  number(): number | undefined {
    return typeof this.#value === 'number' && Number.isFinite(this.#value) ? this.#value : undefined;
  }

  isTrue(): boolean {
    return this.#value === true;
  }

  /** Empty when it is no list. */
  items(): readonly Json[] {
    return Array.isArray(this.#value) ? this.#value.map((item) => new Json(item)) : [];
  }

  texts(): readonly string[] {
    return this.items().flatMap((item) => item.text() ?? []);
  }

  get isList(): boolean {
    return Array.isArray(this.#value);
  }

  /** ISO 8601, or seconds since the epoch; in ms. */
  time(): number | undefined {
    const number = this.number();
    if (number !== undefined) return number * 1000;
    const ms = Date.parse(this.text() ?? '');
    return Number.isNaN(ms) ? undefined : ms;
  }
}

/**
 * Secrets pass templates and YAML as marks that nobody can guess, and come in for them afterwards: so a value that looks like
 * YAML, a template or a second argument stays one value.
 */
export class SecretMarks {
  readonly #values = new Map<string, string>();
  readonly #markOf = new Map<string, string>();

  /** @param nonce at least 16 random letters and digits */
  constructor(nonce: string, secrets: ReadonlyMap<string, string>) {
    for (const [index, [id, value]] of [...secrets].entries()) {
      const mark = `SECRET${nonce}n${index}e`;
      this.#values.set(mark, value);
      this.#markOf.set(id, mark);
    }
  }

  markOf(id: string): string | undefined {
    return this.#markOf.get(id);
  }

  /** The text with the values in the places of the marks. */
  reveal(text: string): string {
    let revealed = text;
    for (const [mark, value] of this.#values) if (revealed.includes(mark)) revealed = revealed.replaceAll(mark, () => value);
    return revealed;
  }
}

/** Shorter texts stand in every log by chance, and masking them would show where. */
const minLength = 4;
const minWholeLength = 2;
const shown = '***';
const maxSecrets = 10_000;

/** What must not be seen in a log. */
export class Masks {
  readonly #texts = new Set<string>();
  /** The longest first: one secret may hold another. */
  #pattern: RegExp | undefined;

  /** Hides a text from now on, in the forms that programs print it in: as it is, each of its lines, base64, and URL-encoded. */
  add(secret: string): void {
    const before = this.#texts.size;
    if (before > maxSecrets) return;
    for (const form of formsOf(secret)) this.#texts.add(form);
    if (this.#texts.size !== before) this.#pattern = undefined;
  }

  apply(text: string): string {
    if (this.#texts.size === 0) return text;
    this.#pattern ??= new RegExp(
      [...this.#texts]
        .toSorted((a, b) => b.length - a.length)
        .map((each) => each.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
        .join('|'),
      'g',
    );
    return text.replace(this.#pattern, shown);
  }
}

function formsOf(secret: string): readonly string[] {
  const trimmed = secret.trim();
  const lines = trimmed.split(/\r?\n/).map((line) => line.trim());
  // A value of one line is hidden even when it is short; single letters would make the log unreadable.
  const wholes = lines.length === 1 && trimmed.length >= minWholeLength ? [trimmed] : [];
  const long = lines.filter((line) => line.length >= minLength);
  const encoded = [secret, trimmed, `${trimmed}\n`, ...long]
    .filter((each) => each.trim().length >= minLength)
    .flatMap(encodedForms);
  return [...wholes, ...long, ...encoded].filter((each) => !each.includes('\n'));
}

function encodedForms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const base64 = bytes.toString('base64');
  const unpadded = base64.replace(/=+$/, '');
  return [
    base64,
    unpadded,
    bytes.toString('base64url'),
    encodeURIComponent(text),
    new URLSearchParams({ a: text }).toString().slice(2),
    JSON.stringify(text).slice(1, -1),
    bytes.toString('hex'),
    // Tails of `user:secret` in base64: what the user name shifts by one or two bytes.
    ...[1, 2].map((shift) =>
      Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .replace(/=+$/, '')
        .slice(4, -1),
    ),
  ].filter((each) => each.length >= minLength);
}

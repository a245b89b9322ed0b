import { StringDecoder } from 'node:string_decoder';

/** Longer lines are handed on in pieces of this length. */
const maxLineLength = 16 * 1024;

/**
 * Cuts a stream of bytes into lines. It holds one line at the most, and that is bounded. A carriage return alone ends a line,
 * too: what programs draw over and over again becomes lines.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  #rest = '';
  /** The last character was a carriage return, which a line feed may follow. */
  #isAfterReturn = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Buffer): void {
    this.#add(this.#decoder.write(chunk));
  }

  end(): void {
    this.#add(this.#decoder.end());
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }

  #add(text: string): void {
    let start = 0;
    for (let at = 0; at < text.length; at += 1) {
      const char = text.charCodeAt(at);
      if (char !== 10 && char !== 13) {
        this.#isAfterReturn = false;
        if (this.#rest.length + at - start + 1 >= maxLineLength) {
          this.#onLine(this.#rest + text.slice(start, at + 1));
          this.#rest = '';
          start = at + 1;
        }
        continue;
      }
      if (char === 13 || !this.#isAfterReturn) {
        const line = this.#rest + text.slice(start, at);
        if (char === 10 || line !== '') this.#onLine(line);
        this.#rest = '';
      }
      this.#isAfterReturn = char === 13;
      start = at + 1;
    }
    this.#rest += text.slice(start);
  }
}

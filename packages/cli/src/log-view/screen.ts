import type { WriteStream } from 'node:tty';

/** Where lines go: a stream, and whether it is a terminal on which something may change in place. */
export interface Screen {
  readonly isLive: boolean;
  line(text: string): void;
  /** Replaces the last line, on a terminal only. Empty: takes it away. */
  status(text: string): void;
}

type Target = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

const redrawMs = 50;

/** @param isPlain never anything but lines */
export function openScreen(target: Target, isPlain = false): Screen {
  if (target.isTTY !== true || isPlain)
    return { isLive: false, line: (text) => void target.write(`${text}\n`), status: () => undefined };
  return new LiveScreen(target);
}

class LiveScreen implements Screen {
  readonly isLive = true;
  readonly #target: Target;
  #status = '';
  #isDrawn = false;
  #redraw: NodeJS.Timeout | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  line(text: string): void {
    this.#erase();
    this.#target.write(`${text}\n`);
    // Many lines come at once: the status waits for the last of them.
    this.#redraw ??= setTimeout(() => this.#draw(), redrawMs);
  }

  status(text: string): void {
    if (text === this.#status) return;
    this.#status = text;
    this.#draw();
  }

  #draw(): void {
    clearTimeout(this.#redraw);
    this.#redraw = undefined;
    this.#erase();
    if (this.#status === '') return;
    const width = Math.max(20, this.#target.columns ?? 80) - 1;
    this.#target.write([...this.#status].slice(0, width).join(''));
    this.#isDrawn = true;
  }

  #erase(): void {
    if (this.#isDrawn) this.#target.write('\r\u001B[2K');
    this.#isDrawn = false;
  }
}

import { releaseMemory } from '../memory/index.ts';
import type { RunningDigest } from './running-digest.ts';

/** More than this and it is worth a thread. A body of unknown length costs so much memory until then. */
const decidingBytes = 64 * 1024;

export interface Choices {
  readonly few: () => RunningDigest;
  readonly many: () => RunningDigest;
}

/** Of bytes whose number nobody said: keeps the first ones until it is known whether they are few. */
export class UndecidedDigest implements RunningDigest {
  readonly #choices: Choices;
  readonly #first = Buffer.allocUnsafeSlow(decidingBytes);
  #firstBytes = 0;
  #chosen: RunningDigest | undefined;

  constructor(choices: Choices) {
    this.#choices = choices;
  }

  get isUsable(): boolean {
    return this.#chosen?.isUsable ?? true;
  }

  update(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#chosen !== undefined) return this.#chosen.update(bytes);
    if (this.#firstBytes + bytes.length > decidingBytes) return this.#choose(this.#choices.many).update(bytes);
    this.#first.set(bytes, this.#firstBytes);
    this.#firstBytes += bytes.length;
    return undefined;
  }

  rest(): void {
    this.#decided().rest();
  }

  copy(): RunningDigest {
    return this.#decided().copy();
  }

  end(): Promise<string> {
    return this.#decided().end();
  }

  #decided(): RunningDigest {
    return this.#chosen ?? this.#choose(this.#choices.few);
  }

  #choose(choice: () => RunningDigest): RunningDigest {
    const chosen = choice();
    void chosen.update(this.#first.subarray(0, this.#firstBytes));
    releaseMemory(this.#first);
    this.#chosen = chosen;
    return chosen;
  }
}

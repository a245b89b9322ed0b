import type { Clock } from '../platform/clock.ts';
import { Recent } from '../platform/recent.ts';

/** Longer than a client needs to ask after a deletion. */
const lingerMs = 10_000;
const maxEntries = 1_000;

/**
 * What was deleted just now, of kinds that ACR deletes in the background: its command line looks at them once more, to wait until they
 * are gone, and fails when they are gone already.
 */
export class LeavingChildren {
  readonly #clock: Clock;
  readonly #documents = new Recent<{ readonly document: object; readonly until: number }>({ maxEntries });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `id`: of the resource; `document`: as it was. */
  add(id: string, document: object): void {
    this.#documents.set(id.toLowerCase(), { document, until: this.#clock.now() + lingerMs });
  }

  /** The document of one that is going; undefined: it is gone. */
  find(id: string): object | undefined {
    const found = this.#documents.get(id.toLowerCase());
    return found !== undefined && found.until > this.#clock.now() ? found.document : undefined;
  }
}

/** Questions to other regions by name: each once at a time. */
export class Asking {
  readonly #flights = new Map<string, Promise<boolean>>();
  readonly #maxAtOnce: number;

  constructor(maxAtOnce: number) {
    this.#maxAtOnce = maxAtOnce;
  }

  /**
   * Whether a question was answered with something. Whoever comes while it is asked shares what is found; a miss is shared by
   * none who came later: what was pushed and acknowledged in the meantime would be missed. Beyond so many at once nothing is asked.
   */
  async ask(key: string, question: () => Promise<boolean>): Promise<boolean> {
    const running = this.#flights.get(key);
    if (running !== undefined && (await running)) return true;
    // It began after all those who waited for the one before had come.
    return this.#flights.get(key) ?? this.#start(key, question);
  }

  #start(key: string, question: () => Promise<boolean>): Promise<boolean> {
    if (this.#flights.size >= this.#maxAtOnce) return Promise.resolve(false);
    const flight = question().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}

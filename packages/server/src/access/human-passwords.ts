import { RegistryError } from '../errors/index.ts';

/** One argon2 check takes some 20 MiB and tens of milliseconds of a core: a crowd must not take them all. */
const maxAtOnce = 2;
const maxWaiting = 64;
/** One client must not take all places to wait (attack 25). */
const maxPerNetwork = 8;

/** argon2id for passwords that a person chose; loaded when first needed. */
export class HumanPasswords {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #byNetwork = new Map<string, number>();

  async hash(password: string): Promise<string> {
    const { hash } = await import('@node-rs/argon2');
    return hash(password);
  }

  /** `network`: whom the work is done for. @throws TOOMANYREQUESTS when too many wait already */
  async verify(verifier: string, password: string, network: string): Promise<boolean> {
    const ofNetwork = this.#byNetwork.get(network) ?? 0;
    if (ofNetwork >= maxPerNetwork || this.#waiting.length >= maxWaiting) throw tooMany();
    this.#byNetwork.set(network, ofNetwork + 1);
    try {
      return await this.#inTurn(async () => {
        const { verify } = await import('@node-rs/argon2');
        return verify(verifier, password);
      });
    } finally {
      const left = (this.#byNetwork.get(network) ?? 1) - 1;
      if (left === 0) this.#byNetwork.delete(network);
      else this.#byNetwork.set(network, left);
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= maxAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next in line, or is given up.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

function tooMany(): RegistryError {
  return new RegistryError('TOOMANYREQUESTS', {
    message: 'too many sign-ins are being checked; try again',
    headers: { 'Retry-After': '2' },
  });
}

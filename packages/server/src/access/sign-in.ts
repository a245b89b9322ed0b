import { createHmac, randomBytes } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { GeneratedPasswords } from './generated-passwords.ts';
import { HumanPasswords } from './human-passwords.ts';
import { type Admin, type AdminPassword, findAdmin } from './queries.ts';
import { Recent } from '../platform/recent.ts';
import { type SignedIn, isCurrent } from './signed-in.ts';
import { SignInThrottle, networkOf } from './throttle.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** How stale the knowledge of a password change in another process may be. */
const adminMaxAgeMs = 5_000;
/** There are two passwords at a time; the rest are some that were replaced. */
const maxRemembered = 100;

interface KnownAdmin {
  readonly admin: Admin | undefined;
  readonly readAt: number;
}

/** Checks user names and passwords. */
export class SignIn {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #generated: GeneratedPasswords;
  readonly #throttle: SignInThrottle;
  readonly #human = new HumanPasswords();
  /** Credentials that were right, as a digest under a key of this process. */
  readonly #remembered = new Recent<SignedIn>({ maxEntries: maxRemembered });
  readonly #memoryKey = randomBytes(32);
  readonly #admins = new Map<number, KnownAdmin>();
  readonly #reading = new Map<number, Promise<Admin | undefined>>();
  /** Checks of human passwords that run, by what the credentials' digest is: the same ones are checked once. */
  readonly #checking = new Map<string, Promise<boolean>>();
  /** Grows with each change that this process made: what was read before must not be kept. */
  #changes = 0;
  #failures = 0;

  constructor(options: { readonly database: Database; readonly clock: Clock; readonly generated: GeneratedPasswords }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#generated = options.generated;
    this.#throttle = new SignInThrottle(options.clock);
  }

  /** Wrong credentials since the start. */
  get failures(): number {
    return this.#failures;
  }

  /** The admin user of a registry if it is enabled, at most five seconds old; without waiting when it is known. */
  admin(registry: Registry): Admin | undefined | Promise<Admin | undefined> {
    const known = this.#admins.get(registry.id);
    if (known !== undefined && Math.abs(this.#clock.now() - known.readAt) < adminMaxAgeMs) return known.admin;
    let reading = this.#reading.get(registry.id);
    if (reading === undefined) {
      reading = this.#readAdmin(registry);
      this.#reading.set(registry.id, reading);
      const mine = reading;
      const forget = (): void => {
        if (this.#reading.get(registry.id) === mine) this.#reading.delete(registry.id);
      };
      reading.then(forget, forget);
    }
    return reading;
  }

  /** A change made by this process counts at once. */
  forget(registry: Registry): void {
    this.#changes += 1;
    this.#admins.delete(registry.id);
    this.#reading.delete(registry.id);
  }

  /** Whose credentials these are. @throws UNAUTHORIZED, TOOMANYREQUESTS */
  async check(registry: Registry, credentials: Credentials, clientAddress: string): Promise<SignedIn> {
    const memory = this.#memoryOf(registry, credentials);
    const known = this.#remembered.get(memory);
    if (known !== undefined && isCurrent(known, await this.admin(registry))) return known;
    // Read anew: a password that another process has just made must work at once.
    const admin = await this.#readAdmin(registry);
    const password = await this.#passwordOf(registry, admin, { ...credentials, clientAddress, memory });
    if (admin === undefined || password === undefined) {
      this.#failures += 1;
      throw new RegistryError('UNAUTHORIZED', { message: 'the user name or the password is wrong' });
    }
    const { username, generation } = admin;
    const signedIn: SignedIn = { username, generation, slot: password.slot, since: password.created_at };
    this.#remembered.set(memory, signedIn);
    return signedIn;
  }

  /** Known already, and still right: the answer without waiting. */
  remembered(registry: Registry, credentials: Credentials): SignedIn | undefined {
    const admin = this.admin(registry);
    if (admin === undefined || admin instanceof Promise) return undefined;
    const known = this.#remembered.get(this.#memoryOf(registry, credentials));
    return known !== undefined && isCurrent(known, admin) ? known : undefined;
  }

  /** An unknown user and a wrong password take the same way and the same time (attack 25). */
  async #passwordOf(registry: Registry, admin: Admin | undefined, attempt: Attempt): Promise<AdminPassword | undefined> {
    const { username, password } = attempt;
    const isUser = admin?.username === username;
    const passwords = admin?.passwords ?? [];
    const generated = this.#generated.find(passwords, registry.id, password);
    if (generated !== undefined && isUser) return generated;
    const chosen = passwords.find((each) => each.scheme === 'argon2id');
    // Where no human password exists there is nothing to guess, and nothing to slow down.
    if (chosen === undefined) return undefined;
    const isRight = await this.#isHumanPassword(chosen, { ...attempt, isUser });
    return isRight ? chosen : undefined;
  }

  async #isHumanPassword(chosen: AdminPassword, attempt: Attempt & { readonly isUser: boolean }): Promise<boolean> {
    const key = `${attempt.memory} ${chosen.created_at}`;
    const running = this.#checking.get(key);
    if (running !== undefined) return running;
    const checking = this.#guess(chosen, attempt);
    this.#checking.set(key, checking);
    try {
      return await checking;
    } finally {
      this.#checking.delete(key);
    }
  }

  async #guess(chosen: AdminPassword, attempt: Attempt & { readonly isUser: boolean }): Promise<boolean> {
    const network = networkOf(attempt.clientAddress);
    const giveBack = this.#throttle.take(network, attempt.username);
    const isMatch = await this.#human.verify(chosen.verifier, attempt.password, network);
    const isRight = isMatch && attempt.isUser;
    if (isRight) giveBack();
    return isRight;
  }

  async #readAdmin(registry: Registry): Promise<Admin | undefined> {
    const readAt = this.#clock.now();
    const changes = this.#changes;
    const found = await findAdmin(this.#database.read, registry.id);
    const admin = found?.isEnabled === true ? found : undefined;
    if (changes === this.#changes) this.#admins.set(registry.id, { admin, readAt });
    return admin;
  }

  #memoryOf(registry: Registry, { username, password }: Credentials): string {
    const text = `${registry.id}:${username.length}:${username}:${password}`;
    return createHmac('sha256', this.#memoryKey).update(text).digest('base64');
  }
}

interface Attempt extends Credentials {
  readonly clientAddress: string;
  readonly memory: string;
}

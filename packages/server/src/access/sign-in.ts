import { createHmac, randomBytes } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { Registry } from '../tenancy/index.ts';
import { HumanPasswords, isGeneratedPassword } from './passwords.ts';
import { type AdminState, adminPasswords, findAdmin } from './queries.ts';
import { Recent } from './recent.ts';
import { SignInThrottle } from './throttle.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** How stale the knowledge of a password change in another process may be. */
const adminMaxAgeMs = 5_000;
const maxRemembered = 10_000;
/** A verifier that no password has: an unknown user costs what a known one does (attack 25). */
const nobody = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$2O5Y3jYQ0Cw3hIT4mhJgSgxrbVpGuM9DgCR0GDBBXhQ';

/** Checks user names and passwords. */
export class SignIn {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #passwordKey: Buffer;
  readonly #throttle: SignInThrottle;
  readonly #human = new HumanPasswords();
  /** Credentials that were right, as a digest under a key of this process, with the generation they belong to. */
  readonly #remembered = new Recent<number>(maxRemembered);
  readonly #memoryKey = randomBytes(32);
  readonly #admins = new Map<number, { readonly state: AdminState | undefined; readonly readAt: number }>();
  #failures = 0;

  constructor(options: { readonly database: Database; readonly clock: Clock; readonly passwordKey: Buffer }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#passwordKey = options.passwordKey;
    this.#throttle = new SignInThrottle(options.clock);
  }

  get failures(): number {
    return this.#failures;
  }

  /** The admin user of a registry if it is enabled, at most five seconds old; without waiting when it is known. */
  admin(registry: Registry): AdminState | undefined | Promise<AdminState | undefined> {
    const known = this.#admins.get(registry.id);
    if (known !== undefined && this.#clock.now() - known.readAt < adminMaxAgeMs) return known.state;
    return this.#readAdmin(registry);
  }

  /** A change made by this process counts at once. */
  forget(registry: Registry): void {
    this.#admins.delete(registry.id);
  }

  /** The admin user whose credentials these are. @throws UNAUTHORIZED, TOOMANYREQUESTS */
  async check(registry: Registry, credentials: Credentials, clientAddress: string): Promise<AdminState> {
    const admin = await this.admin(registry);
    const memory = this.#memoryOf(registry, credentials);
    if (admin !== undefined && this.#remembered.get(memory) === admin.generation) return admin;
    const isRight = await this.#isRight(registry, admin, credentials, clientAddress);
    if (admin === undefined || !isRight) {
      this.#failures += 1;
      throw new RegistryError('UNAUTHORIZED', { message: 'the user name or the password is wrong' });
    }
    this.#remembered.set(memory, admin.generation);
    return admin;
  }

  /** Known already, and still right: the answer without waiting. */
  remembered(registry: Registry, credentials: Credentials): AdminState | undefined {
    const admin = this.admin(registry);
    if (admin === undefined || admin instanceof Promise) return undefined;
    return this.#remembered.get(this.#memoryOf(registry, credentials)) === admin.generation ? admin : undefined;
  }

  async #isRight(registry: Registry, admin: AdminState | undefined, { username, password }: Credentials, clientAddress: string): Promise<boolean> {
    const passwords = await adminPasswords(this.#database.read, registry.id);
    const isUser = admin !== undefined && admin.username === username;
    if (isGeneratedPassword(this.#passwordKey, passwords, registry.id, password) && isUser) return true;
    const chosen = passwords.filter((row) => row.scheme === 'argon2id');
    // Where no human password exists there is nothing to guess, and nothing to slow down.
    if (chosen.length === 0) return false;
    this.#throttle.requireRoom(clientAddress, username);
    let isMatch = false;
    for (const row of chosen) isMatch = (await this.#human.verify(isUser ? row.verifier : nobody, password)) || isMatch;
    if (!isMatch || !isUser) this.#throttle.countFailure(clientAddress, username);
    return isMatch && isUser;
  }

  async #readAdmin(registry: Registry): Promise<AdminState | undefined> {
    const readAt = this.#clock.now();
    const row = await findAdmin(this.#database.read, registry.id);
    const state = row?.is_enabled === 1 ? row : undefined;
    this.#admins.set(registry.id, { state, readAt });
    return state;
  }

  #memoryOf(registry: Registry, { username, password }: Credentials): string {
    return createHmac('sha256', this.#memoryKey).update(`${registry.id}:${username.length}:${username}:${password}`).digest('base64');
  }
}

import { createHmac, randomBytes } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import { Recent } from '../platform/recent.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import { findIdentity } from './account-queries.ts';
import type { Accounts } from './accounts.ts';
import { type GeneratedPasswords, directoryId } from './generated-passwords.ts';
import { HumanPasswords } from './human-passwords.ts';
import { agentUser, runUser, splitMachinePassword } from './machines/machine-keys.ts';
import type { Admin, AdminPassword } from './queries.ts';
import type { SignedIn, SignedInAdmin } from './signed-in.ts';
import { SignInThrottle, networkOf } from './throttle.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Every client of a busy registry that sends Basic with each request. */
const maxRemembered = 5_000;
const clientIdPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const tokenNamePattern = /^[A-Za-z0-9-]{5,50}$/;

export interface SignInOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly generated: GeneratedPasswords;
  readonly accounts: Accounts;
}

/** Checks user names and passwords. */
export class SignIn {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #generated: GeneratedPasswords;
  readonly #accounts: Accounts;
  readonly #throttle: SignInThrottle;
  readonly #human = new HumanPasswords();
  /** Credentials that were right, as a digest under a key of this process. */
  readonly #remembered = new Recent<SignedIn>({ maxEntries: maxRemembered });
  readonly #memoryKey = randomBytes(32);
  /** Checks of human passwords that run, by what the credentials' digest is: the same ones are checked once. */
  readonly #checking = new Map<string, Promise<boolean>>();
  #failures = 0;

  constructor({ database, clock, generated, accounts }: SignInOptions) {
    this.#database = database;
    this.#clock = clock;
    this.#generated = generated;
    this.#accounts = accounts;
    this.#throttle = new SignInThrottle(clock);
  }

  /** Wrong credentials since the start. */
  get failures(): number {
    return this.#failures;
  }

  /** Somebody else's check of credentials failed. */
  countFailure(): void {
    this.#failures += 1;
  }

  /** Whose credentials these are. @throws UNAUTHORIZED, TOOMANYREQUESTS */
  async check(registry: Registry, credentials: Credentials, clientAddress: string): Promise<SignedIn> {
    const memory = this.#memoryOf(registry, credentials);
    const known = this.#remembered.get(memory);
    if (known !== undefined && (await this.#accounts.principalOf(registry, known)) !== undefined) return known;
    // Read anew: a password that another process has just made must work at once.
    const signedIn =
      (await this.#ofMachine(registry, credentials)) ??
      (await this.#ofToken(registry, credentials)) ??
      (await this.#ofIdentity(credentials)) ??
      (await this.#ofAdmin(registry, { ...credentials, clientAddress, memory }));
    if (signedIn === undefined) {
      this.#failures += 1;
      throw new RegistryError('UNAUTHORIZED', { message: 'the user name or the password is wrong' });
    }
    this.#remembered.set(memory, signedIn);
    return signedIn;
  }

  /** Who it is if that is known already, and still right: without waiting. */
  remembered(registry: Registry, credentials: Credentials): Principal | undefined {
    const known = this.#remembered.get(this.#memoryOf(registry, credentials));
    if (known === undefined) return undefined;
    const principal = this.#accounts.principalOf(registry, known);
    return principal instanceof Promise ? undefined : principal;
  }

  /** The service principal that a secret belongs to. */
  async #ofIdentity({ username, password }: Credentials): Promise<SignedIn | undefined> {
    if (!clientIdPattern.test(username)) return undefined;
    const found = await findIdentity(this.#database.read, { clientId: username.toLowerCase() });
    if (found?.isEnabled !== true) return undefined;
    const secrets = found.secrets.filter(({ expires_at }) => expires_at === null || this.#clock.now() < expires_at);
    const secret = this.#generated.findAmong(secrets, directoryId, password);
    if (secret === undefined) return undefined;
    // What is known of it may be older than the secret.
    await this.#accounts.identityNow(found.id);
    return { kind: 'identity', username: found.name, identities: [{ id: found.id, credential: secret.id }] };
  }

  async #ofMachine(registry: Registry, { username, password }: Credentials): Promise<SignedIn | undefined> {
    if (username !== agentUser && username !== runUser) return undefined;
    const { id, secret } = splitMachinePassword(password);
    const key = await this.#accounts.machineNow(registry, id);
    if (key === undefined || (key.kind === 'agent') !== (username === agentUser)) return undefined;
    if (key.expiresAt !== null && this.#clock.now() >= key.expiresAt) return undefined;
    return this.#generated.findAmong([key], registry.id, secret) && { kind: 'machine', username, id };
  }

  async #ofToken(registry: Registry, { username, password }: Credentials): Promise<SignedIn | undefined> {
    if (!tokenNamePattern.test(username)) return undefined;
    const token = await this.#accounts.tokenNow(registry, username);
    if (token?.isEnabled !== true) return undefined;
    const current = token.passwords.filter(({ expires_at }) => expires_at === null || this.#clock.now() < expires_at);
    const found = this.#generated.findAmong(current, registry.id, password);
    return found && { kind: 'token', username: token.name, slot: found.slot, since: found.created_at };
  }

  /** Whoever is not known comes here, too: an unknown user and a wrong password take the same way and the same time (attack 25). */
  async #ofAdmin(registry: Registry, attempt: Attempt): Promise<SignedInAdmin | undefined> {
    const admin = await this.#accounts.adminNow(registry);
    const password = await this.#passwordOf(registry, admin, attempt);
    if (admin === undefined || password === undefined) return undefined;
    const { username, generation } = admin;
    return { username, generation, slot: password.slot, since: password.created_at };
  }

  async #passwordOf(registry: Registry, admin: Admin | undefined, attempt: Attempt): Promise<AdminPassword | undefined> {
    const { username, password } = attempt;
    const isUser = admin?.username === username;
    const passwords = admin?.passwords ?? [];
    const generated = this.#generated.findAmong(
      passwords.filter(({ scheme }) => scheme === 'keyed-sha256'),
      registry.id,
      password,
    );
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

  #memoryOf(registry: Registry, { username, password }: Credentials): string {
    const text = `${registry.id}:${username.length}:${username}:${password}`;
    return createHmac('sha256', this.#memoryKey).update(text).digest('base64');
  }
}

interface Attempt extends Credentials {
  readonly clientAddress: string;
  readonly memory: string;
}

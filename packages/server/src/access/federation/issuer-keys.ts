import { RegistryError } from '../../errors/index.ts';
import type { Clock } from '../../platform/clock.ts';
import { Recent } from '../../platform/recent.ts';
import { type KeySet, parseKeySet } from './key-set.ts';

/** Gets JSON from outside: follows no redirect to another host, and refuses addresses that a server must not call. */
export type FetchJson = (url: string, limits: { readonly maxBytes: number; readonly signal: AbortSignal }) => Promise<unknown>;

const freshMs = 5 * 60_000;
/** An issuer that is down does not lock its users out; a key that it has revoked meanwhile must end some time. */
const staleMs = 24 * 3_600_000;
/** How often a token may make us ask for a key that was not there. */
const unknownKeyMs = 30_000;
const retryWithoutKeysMs = 5_000;
const retryWithKeysMs = 60_000;
const timeoutMs = 10_000;
const maxBytes = 256 * 1024;
const maxIssuers = 200;

interface State {
  keys: KeySet | undefined;
  fetchedAt: number;
  /** The last failure; undefined after a success. */
  failedAt: number | undefined;
  fetching: Promise<KeySet> | undefined;
}

/** The public keys of trusted issuers, which they publish. Only ever asked for issuers that somebody trusts. */
export class IssuerKeys {
  readonly #fetchJson: FetchJson;
  readonly #clock: Clock;
  readonly #states = new Recent<State>({ maxEntries: maxIssuers });

  constructor({ fetchJson, clock }: { readonly fetchJson: FetchJson; readonly clock: Clock }) {
    this.#fetchJson = fetchJson;
    this.#clock = clock;
  }

  /** The keys as they were published some minutes ago at most, or a day ago while the issuer is down. @throws UNAVAILABLE */
  async keysOf(issuer: string): Promise<KeySet> {
    const state = this.#stateOf(issuer);
    const { keys } = state;
    if (keys !== undefined && this.#ageOf(state.fetchedAt) < freshMs) return keys;
    const isFailing = state.failedAt !== undefined && this.#ageOf(state.failedAt) < (keys ? retryWithKeysMs : retryWithoutKeysMs);
    if (isFailing) return this.#lastOf(issuer, state);
    try {
      return await this.#fetch(issuer, state);
    } catch {
      return this.#lastOf(issuer, state);
    }
  }

  /** The keys asked for anew, because a token names one that is not among them; undefined when that was done just now. */
  async newKeysOf(issuer: string): Promise<KeySet | undefined> {
    const state = this.#stateOf(issuer);
    const isTooSoon = this.#ageOf(Math.max(state.fetchedAt, state.failedAt ?? 0)) < unknownKeyMs;
    if (state.fetching === undefined && isTooSoon) return undefined;
    return this.#fetch(issuer, state).catch(() => undefined);
  }

  /** Somebody changed what is known of it. */
  forget(issuer: string): void {
    this.#states.delete(issuer);
  }

  #lastOf(issuer: string, { keys, fetchedAt }: State): KeySet {
    if (keys !== undefined && this.#ageOf(fetchedAt) < staleMs) return keys;
    throw new RegistryError('UNAVAILABLE', {
      message: `the keys of the issuer ${issuer} could not be fetched, so its tokens cannot be checked now; try again in a minute`,
    });
  }

  /** One at a time for each issuer; whoever comes meanwhile waits for it. */
  #fetch(issuer: string, state: State): Promise<KeySet> {
    state.fetching ??= this.#download(issuer)
      .then((keys) => {
        state.keys = keys;
        state.fetchedAt = this.#clock.now();
        state.failedAt = undefined;
        return keys;
      })
      .catch((error: unknown) => {
        state.failedAt = this.#clock.now();
        throw error;
      })
      .finally(() => {
        state.fetching = undefined;
      });
    return state.fetching;
  }

  async #download(issuer: string): Promise<KeySet> {
    const limits = { maxBytes, signal: AbortSignal.timeout(timeoutMs) };
    const about = await this.#fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, limits);
    const { issuer: named, jwks_uri: address } = (about ?? {}) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
    // OpenID Connect Discovery 1.0, section 4.3: another name means another issuer's keys.
    if (named !== issuer) throw new Error('the discovery document names another issuer');
    if (typeof address !== 'string' || !isAsSafe(address, issuer))
      throw new Error('the discovery document names no safe jwks_uri');
    return parseKeySet(await this.#fetchJson(address, limits));
  }

  #stateOf(issuer: string): State {
    const known = this.#states.get(issuer) ?? {
      keys: undefined,
      fetchedAt: Number.NEGATIVE_INFINITY,
      failedAt: undefined,
      fetching: undefined,
    };
    this.#states.set(issuer, known);
    return known;
  }

  #ageOf(time: number): number {
    return Math.abs(this.#clock.now() - time);
  }
}

/** Keys come over TLS, unless the issuer itself does not. */
function isAsSafe(address: string, issuer: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, username, password } = new URL(address);
  return username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:')));
}

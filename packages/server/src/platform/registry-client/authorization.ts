import { parseChallenges } from './challenge.ts';
import { type Patience, requestPatiently } from './patient-request.ts';
import { isTrustedRealm } from './realm.ts';
import { exchangeToken, jsonOf, textIn } from './exchange-token.ts';
import { RemoteError } from './remote-error.ts';

export interface RemoteCredentials {
  /** Missing: the password is a token, as registries of Azure take it. */
  readonly username?: string;
  readonly password: string;
}

/** The user name that goes with a token. */
const tokenUsername = '00000000-0000-0000-0000-000000000000';

const maxTokenBytes = 64 * 1024;

export interface AuthorizationOptions {
  readonly patience: Patience;
  readonly origin: string;
  readonly repository: string;
  readonly credentials: RemoteCredentials | undefined;
}

/** What one repository wants to see before it lets itself be read. */
export class Authorization {
  readonly #options: AuthorizationOptions;
  #header: string | undefined;
  #renewal: Promise<void> | undefined;
  #withheldFrom: string | undefined;

  constructor(options: AuthorizationOptions) {
    this.#options = options;
  }

  /** The text of the Authorization header; undefined before the first challenge. */
  get header(): string | undefined {
    return this.#header;
  }

  /** Answers the challenge to a request that was sent with `used`. @throws RemoteError */
  async renew(used: string | undefined, challenge: string | undefined, signal: AbortSignal): Promise<void> {
    // Of several requests that were refused together, one asks for a token.
    if (used !== this.#header) return;
    this.#renewal ??= this.#answer(challenge, signal).finally(() => {
      this.#renewal = undefined;
    });
    await this.#renewal;
  }

  denied(): RemoteError {
    const { origin, repository, credentials } = this.#options;
    const { host } = new URL(origin);
    const withheld =
      this.#withheldFrom === undefined
        ? ''
        : `; it sends clients to ${this.#withheldFrom}, which is not known to belong to it, so the credentials were not sent there`;
    const advice =
      credentials === undefined
        ? 'there is no such repository, or credentials are needed'
        : 'the credentials are wrong, or do not allow it';
    return new RemoteError('denied', `${host} does not let ${repository} be read: ${advice}${withheld}`);
  }

  async #answer(header: string | undefined, signal: AbortSignal): Promise<void> {
    const challenges = parseChallenges(header);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters;
    const realm = bearer?.get('realm');
    if (realm !== undefined) {
      this.#header = `Bearer ${await this.#fetchToken(realm, bearer?.get('service'), signal)}`;
      return;
    }
    const basic = this.#basic();
    // Sent already, or nothing to send: there is no other way in.
    if (!challenges.some(({ scheme }) => scheme === 'basic') || basic === undefined || basic === this.#header)
      throw this.denied();
    this.#header = basic;
  }

  async #fetchToken(realm: string, service: string | undefined, signal: AbortSignal): Promise<string> {
    const { patience, origin, repository, credentials } = this.#options;
    if (!URL.canParse(realm))
      throw new RemoteError('unusable', `${new URL(origin).host} names a token service that is no address`);
    const url = new URL(realm);
    const isTrusted = isTrustedRealm(new URL(origin), url);
    const basic = this.#basic();
    if (basic !== undefined && !isTrusted) this.#withheldFrom = url.host;
    // Ours, whatever the challenge asks for: a token for more would be of no use to us.
    const scope = `repository:${repository}:pull`;
    const isDirectoryToken = isTrusted && credentials?.username === undefined && url.pathname === '/oauth2/token';
    if (credentials !== undefined && isDirectoryToken) {
      const token = credentials.password;
      const exchanged = await exchangeToken(patience, { realm: url, service: service ?? url.host, scope, token, signal });
      if (exchanged !== undefined) return exchanged;
    }
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', scope);
    const headers: Record<string, string> = basic !== undefined && isTrusted ? { authorization: basic } : {};
    const answer = await requestPatiently(patience, { url: url.href, headers, maxBytes: maxTokenBytes, signal });
    if (answer.status !== 200) {
      answer.discard();
      if (answer.status === 400 || answer.status === 401 || answer.status === 403) throw this.denied();
      throw new RemoteError('unusable', `the token service ${url.host} answers ${answer.status}`);
    }
    const document = await jsonOf(() => answer.json());
    // `access_token` is what OAuth 2.0 calls it; both are in use.
    const token = textIn(document, 'token') ?? textIn(document, 'access_token');
    if (token === undefined) throw new RemoteError('unusable', `the token service ${url.host} answers without a token`);
    return token;
  }

  #basic(): string | undefined {
    const { credentials } = this.#options;
    if (credentials === undefined) return undefined;
    const { username = tokenUsername, password } = credentials;
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }
}

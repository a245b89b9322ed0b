import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClientAnswer, type ClientRequest, RegistryClient } from './registry-client.ts';

/** What the first start wrote about the identity that owns the deployment. */
export interface Owner {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
}

export interface ManagerAnswer extends ClientAnswer {
  /** The body, parsed; undefined when there is none. */
  readonly json: unknown;
}

export async function readOwner(dataDir: string): Promise<Owner> {
  return JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8')) as Owner;
}

/** A client of the resource manager for tests, signed in as a service principal. */
export class ManagerClient implements Disposable {
  readonly owner: Owner;
  readonly #client: RegistryClient;
  #token: string | undefined;

  constructor(url: string, owner: Owner) {
    this.owner = owner;
    this.#client = new RegistryClient({ url, username: '', password: '' });
  }

  /** A token of the built-in issuer. */
  async token(
    audience = 'https://management.azure.com',
    credentials: Pick<Owner, 'clientId' | 'clientSecret'> = this.owner,
  ): Promise<string> {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: credentials.clientId,
      client_secret: credentials.clientSecret,
      scope: `${audience}/.default`,
    });
    const answer = await this.#client.request('POST', '/adfs/oauth2/token', { authorization: 'none', body: body.toString() });
    if (answer.status !== 200) throw new Error(`sign-in was answered ${answer.status}: ${answer.body}`);
    return (JSON.parse(answer.body.toString()) as { access_token: string }).access_token;
  }

  /** `/subscriptions/…/resourceGroups/<group>/providers/Microsoft.ContainerRegistry`, with what follows. */
  provider(rest: string, group = this.owner.resourceGroup): string {
    return `/subscriptions/${this.owner.subscriptionId}/resourceGroups/${group}/providers/Microsoft.ContainerRegistry/${rest}`;
  }

  /** Adds a version to a path that has none. `body`: sent as JSON. */
  async call(method: string, path: string, body?: unknown, more: ClientRequest = {}): Promise<ManagerAnswer> {
    this.#token ??= await this.token();
    const url = path.includes('api-version=') ? path : `${path}${path.includes('?') ? '&' : '?'}api-version=2025-11-01`;
    const answer = await this.#client.request(method, url, {
      authorization: `Bearer ${this.#token}`,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      ...more,
    });
    return { ...answer, json: answer.body.length === 0 ? undefined : JSON.parse(answer.body.toString()) };
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

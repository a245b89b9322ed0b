import {
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as httpRequest,
} from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import type { DigestAlgorithm } from '@berth/oci';
import { parseChallenge } from './challenge.ts';
import { type Content, type RandomImage, type RandomIndex, contentOf } from './random-image.ts';

export interface ClientOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Default: bearer, with tokens from wherever the challenge says. */
  readonly scheme?: 'basic' | 'bearer';
}

export interface ClientRequest {
  readonly headers?: Readonly<OutgoingHttpHeaders>;
  /** A stream goes out in chunks without a length, unless a header gives it. */
  readonly body?: Uint8Array | string | Readable;
  /** The Authorization header to send as it is; `none`: no such header, and no answer to a challenge. */
  readonly authorization?: string;
}

export interface ClientAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * A registry client for tests: any request, and pushes and pulls in one call. It keeps tokens as strict clients do: per
 * repository and class of method, so that a challenge must ask for all that its class needs.
 */
export class RegistryClient implements Disposable {
  readonly #options: ClientOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #tlsAgent = new TlsAgent({ keepAlive: true });
  readonly #tokens = new Map<string, string>();

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  get basic(): string {
    const { username, password } = this.#options;
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }

  /** `path` may be a whole address, as a Location may be. */
  async request(method: string, path: string, options: ClientRequest = {}): Promise<ClientAnswer> {
    const url = new URL(path, this.#options.url);
    if (options.authorization !== undefined) return this.#send(method, url, options, options.authorization);
    if (this.#options.scheme === 'basic') return this.#send(method, url, options, this.basic);
    const key = `${repositoryOf(url)} ${classOf(method)}`;
    const answer = await this.#send(method, url, options, this.#tokens.get(key) ?? 'none');
    if (answer.status !== 401) return answer;
    const token = `Bearer ${await this.tokenFor(answer)}`;
    this.#tokens.set(key, token);
    return this.#send(method, url, options, token);
  }

  /** A token for what the challenge of a 401 asks. @throws Error when the challenge cannot be used */
  async tokenFor(refused: ClientAnswer): Promise<string> {
    const { scheme, realm, service, scope } = parseChallenge(refused.headers['www-authenticate']);
    if (scheme !== 'bearer' || realm === undefined)
      throw new Error(`no bearer challenge: ${refused.headers['www-authenticate']}`);
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    if (scope !== undefined) url.searchParams.set('scope', scope);
    const answer = await this.#send('GET', url, {}, this.basic);
    if (answer.status !== 200) throw new Error(`the token service answered ${answer.status}: ${answer.body}`);
    const { access_token: access, token } = JSON.parse(answer.body.toString()) as { access_token?: string; token?: string };
    return access ?? token ?? '';
  }

  /** Pushes in two requests and returns the digest. @throws Error when the registry refuses */
  async pushBlob(repository: string, bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Promise<string> {
    const { digest } = contentOf('application/octet-stream', bytes, algorithm);
    const started = expectStatus(await this.request('POST', `/v2/${repository}/blobs/uploads/`), 202);
    const place = started.headers.location ?? '';
    const location = `${place}${place.includes('?') ? '&' : '?'}digest=${digest}`;
    expectStatus(
      await this.request('PUT', location, { body: bytes, headers: { 'content-type': 'application/octet-stream' } }),
      201,
    );
    return digest;
  }

  /** `reference`: a tag, or the manifest's digest. */
  async pushManifest(repository: string, manifest: Content, reference: string = manifest.digest): Promise<ClientAnswer> {
    const path = `/v2/${repository}/manifests/${reference}`;
    return expectStatus(
      await this.request('PUT', path, { body: manifest.bytes, headers: { 'content-type': manifest.mediaType } }),
      201,
    );
  }

  /** All blobs, then the manifest, under a tag or its digest. */
  async pushImage(repository: string, image: RandomImage, reference?: string): Promise<void> {
    for (const { bytes, digest } of [image.config, ...image.layers]) {
      await this.pushBlob(repository, bytes, digest.startsWith('sha512') ? 'sha512' : 'sha256');
    }
    await this.pushManifest(repository, image.manifest, reference);
  }

  async pushIndex(repository: string, index: RandomIndex, reference?: string): Promise<void> {
    for (const image of index.images) await this.pushImage(repository, image);
    await this.pushManifest(repository, index.manifest, reference);
  }

  /** The bytes of a manifest or a blob. @throws Error when the registry refuses */
  async pull(repository: string, kind: 'manifests' | 'blobs', reference: string): Promise<Buffer> {
    return expectStatus(await this.request('GET', `/v2/${repository}/${kind}/${reference}`), 200).body;
  }

  /** Closes connections that are kept alive. */
  [Symbol.dispose](): void {
    this.#agent.destroy();
    this.#tlsAgent.destroy();
  }

  #send(method: string, url: URL, { headers = {}, body }: ClientRequest, authorization: string): Promise<ClientAnswer> {
    return new Promise((resolve, reject) => {
      const sent: OutgoingHttpHeaders = { ...headers };
      if (authorization !== 'none') sent['authorization'] = authorization;
      const isStream = typeof body === 'object' && 'pipe' in body;
      if (!isStream && method !== 'GET' && method !== 'HEAD') sent['content-length'] ??= String(Buffer.byteLength(body ?? ''));
      const request =
        url.protocol === 'https:'
          ? httpsRequest(url, { method, headers: sent, agent: this.#tlsAgent })
          : httpRequest(url, { method, headers: sent, agent: this.#agent });
      let answered: IncomingMessage | undefined;
      request.on('response', (response) => {
        answered = response;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
        response.on('error', reject);
      });
      // A server that has answered early may close while the body is still on its way.
      request.on('error', (error) => answered === undefined && reject(error));
      if (isStream) body.on('error', (error) => request.destroy(error)).pipe(request);
      else request.end(body);
    });
  }
}

function expectStatus(answer: ClientAnswer, status: number): ClientAnswer {
  if (answer.status === status) return answer;
  throw new Error(`expected ${status}, got ${answer.status}: ${answer.body.toString().slice(0, 500)}`);
}

function repositoryOf(url: URL): string {
  return /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(url.pathname)?.[1] ?? '';
}

function classOf(method: string): string {
  if (method === 'GET' || method === 'HEAD') return 'pull';
  return method === 'DELETE' ? 'delete' : 'push';
}

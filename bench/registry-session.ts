import { type Image, type Layer, manifestType } from './content.ts';
import { type Answer, type Call, HttpConnection } from './http-connection.ts';

/** A server under measurement as a client sees it. */
export interface Target {
  readonly name: string;
  readonly url: URL;
  readonly credentials?: { readonly username: string; readonly password: string };
}

/** A call and the statuses that are right. */
export type ExpectedCall = Call & { readonly expect: readonly number[] };

/** One client: its own connection, its own token per repository, the calls that docker makes. */
export class RegistrySession {
  readonly #target: Target;
  readonly #connection: HttpConnection;
  readonly #tokens = new Map<string, string>();

  constructor(target: Target) {
    this.#target = target;
    this.#connection = new HttpConnection(target.url);
  }

  close(): void {
    this.#connection.close();
  }

  /** The `Authorization` header for a scope; undefined for a server without authentication. */
  async authorization(scope: string): Promise<string | undefined> {
    const { credentials } = this.#target;
    if (credentials === undefined) return undefined;
    const known = this.#tokens.get(scope);
    if (known !== undefined) return known;
    const basic = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
    const path = `/oauth2/token?service=${this.#target.url.host}&scope=${encodeURIComponent(scope)}`;
    const answer = await this.#call({ method: 'GET', path, headers: { authorization: basic }, expect: [200] });
    const header = `Bearer ${(JSON.parse(answer.body.toString()) as { access_token: string }).access_token}`;
    this.#tokens.set(scope, header);
    return header;
  }

  async call(scope: string, call: ExpectedCall): Promise<Answer> {
    const authorization = await this.authorization(scope);
    return this.#call(authorization === undefined ? call : { ...call, headers: { ...call.headers, authorization } });
  }

  /** Pushes an image as docker does: HEAD, POST (with mount where a source is given), PATCH in chunks, PUT, manifest. */
  async push(repository: string, tag: string, image: Image, mountFrom?: string): Promise<void> {
    const scope = pushScope(repository, mountFrom);
    for (const layer of image.layers)
      await this.#pushBlob({ scope, repository, digest: layer.digest, mountFrom, slices: () => layer.slices() });
    await this.#pushBlob({ scope, repository, digest: image.configDigest, mountFrom: undefined, slices: () => [image.config] });
    await this.putManifest(scope, `${repository}/manifests/${tag}`, image.manifest);
  }

  async putManifest(scope: string, target: string, manifest: Uint8Array, contentType = manifestType): Promise<void> {
    await this.call(scope, {
      method: 'PUT',
      path: `/v2/${target}`,
      body: manifest,
      expect: [201],
      headers: { 'content-type': contentType },
    });
  }

  /** Pulls manifest, config and layers, checking every byte. */
  async pull(repository: string, tag: string, image: Image): Promise<void> {
    const scope = `repository:${repository}:pull`;
    const manifest = await this.call(scope, {
      method: 'GET',
      path: `/v2/${repository}/manifests/${tag}`,
      headers: { accept: manifestType },
      expect: [200],
    });
    if (!manifest.body.equals(image.manifest))
      throw new Error(`${this.#target.name}: the manifest of ${repository}:${tag} is not what was pushed`);
    const config = await this.call(scope, {
      method: 'GET',
      path: `/v2/${repository}/blobs/${image.configDigest}`,
      expect: [200],
    });
    if (!config.body.equals(image.config)) throw new Error(`${this.#target.name}: a config is not what was pushed`);
    for (const layer of image.layers) await this.#pullLayer(scope, repository, layer);
  }

  async #pullLayer(scope: string, repository: string, layer: Layer): Promise<void> {
    let offset = 0;
    const onChunk = (chunk: Buffer): void => {
      if (!layer.matches(offset, chunk)) throw new Error(`${this.#target.name}: layer ${layer.digest} differs at ${offset}`);
      offset += chunk.length;
    };
    await this.call(scope, { method: 'GET', path: `/v2/${repository}/blobs/${layer.digest}`, expect: [200], onChunk });
    if (offset !== layer.sizeBytes) throw new Error(`${this.#target.name}: layer ${layer.digest} has ${offset} bytes`);
  }

  async #pushBlob(blob: {
    scope: string;
    repository: string;
    digest: string;
    mountFrom: string | undefined;
    slices: () => Iterable<Uint8Array>;
  }): Promise<void> {
    const { scope, repository, digest, mountFrom } = blob;
    const head = await this.call(scope, { method: 'HEAD', path: `/v2/${repository}/blobs/${digest}`, expect: [200, 404] });
    if (head.status === 200) return;
    const mount = mountFrom === undefined ? '' : `?mount=${digest}&from=${mountFrom}`;
    const start = await this.call(scope, {
      method: 'POST',
      path: `/v2/${repository}/blobs/uploads/${mount}`,
      headers: { 'content-length': 0 },
      expect: [201, 202],
    });
    if (start.status === 201) return;
    const sent = await this.call(scope, {
      method: 'PATCH',
      path: this.#location(start),
      body: blob.slices,
      expect: [202],
      headers: { 'content-type': 'application/octet-stream' },
    });
    const location = this.#location(sent);
    const path = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
    await this.call(scope, { method: 'PUT', path, headers: { 'content-length': 0 }, expect: [201] });
  }

  #location(answer: Answer): string {
    const url = new URL(answer.headers['location'] ?? '', this.#target.url);
    return url.pathname + url.search;
  }

  async #call(call: ExpectedCall): Promise<Answer> {
    const answer = await this.#connection.call(call);
    if (call.expect.includes(answer.status)) return answer;
    const { status, body } = answer;
    throw new Error(`${this.#target.name}: ${call.method} ${call.path} answered ${status}: ${body.subarray(0, 500).toString()}`);
  }
}

function pushScope(repository: string, mountFrom: string | undefined): string {
  const own = `repository:${repository}:pull,push`;
  return mountFrom === undefined ? own : `${own} repository:${mountFrom}:pull`;
}

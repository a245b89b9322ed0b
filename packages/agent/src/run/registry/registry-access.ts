import { createHash } from 'node:crypto';
import type { RegistryLogin } from '@berth/api';
import { speaksPlainHttp } from '../../engine/index.ts';

/** What a registry would not do, for the user. */
export class RegistryRefused extends Error {
  override readonly name = 'RegistryRefused';
}

export interface ManifestRead {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface BytesToPut {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

const maxBytes = 4 * 1024 * 1024;
const maxPages = 100;
const timeoutMs = 60_000;
const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The little that a run does at a registry without an engine, with the run's own login. */
export class RegistryAccess {
  readonly #origin: string;
  readonly #registry: string;
  readonly #basic: string | undefined;
  readonly #signal: AbortSignal;
  /** By repository; tokens live for minutes, as long as what is done here. */
  readonly #tokens = new Map<string, string>();

  constructor(registry: string, logins: readonly RegistryLogin[], signal: AbortSignal) {
    const login = logins.find(({ server }) => server === registry);
    this.#registry = registry;
    this.#origin = `${speaksPlainHttp(registry, logins) ? 'http' : 'https'}://${registry === 'docker.io' ? 'registry-1.docker.io' : registry}`;
    this.#basic =
      login === undefined ? undefined : `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
    this.#signal = signal;
  }

  /** Undefined when there is none. `reference`: a tag or a digest. @throws RegistryRefused */
  async manifest(repository: string, reference: string): Promise<ManifestRead | undefined> {
    const answer = await this.#send(repository, `manifests/${reference}`, { headers: { accept: manifestTypes } });
    if (answer.status === 404) return undefined;
    const bytes = await this.#read(answer, 200);
    const digest = sha256(bytes);
    if (reference.startsWith('sha256:') && reference !== digest)
      throw new RegistryRefused(`${this.#registry} answers for ${reference} with other bytes`);
    return { digest, bytes, mediaType: answer.headers.get('content-type')?.split(';')[0] ?? '' };
  }

  /** A blob that fits into memory. @throws RegistryRefused */
  async blob(repository: string, digest: string): Promise<Buffer> {
    const bytes = await this.#read(await this.#send(repository, `blobs/${digest}`, {}), 200);
    if (digest.startsWith('sha256:') && sha256(bytes) !== digest)
      throw new RegistryRefused(`${this.#registry} answers for ${digest} with other bytes`);
    return bytes;
  }

  /** @param tag undefined: it gets none @returns its digest @throws RegistryRefused */
  async putManifest(repository: string, tag: string | undefined, { mediaType, bytes }: BytesToPut): Promise<string> {
    const digest = sha256(bytes);
    const init = { method: 'PUT', headers: { 'content-type': mediaType }, body: new Uint8Array(bytes) };
    await this.#read(await this.#send(repository, `manifests/${tag ?? digest}`, init), 201);
    return digest;
  }

  /** Digests of what refers to a manifest; undefined where the registry keeps no such lists. @throws RegistryRefused */
  async referrers(repository: string, digest: string, artifactType: string): Promise<readonly string[] | undefined> {
    const found: string[] = [];
    let url = new URL(`${this.#origin}/v2/${repository}/referrers/${digest}`);
    url.searchParams.set('artifactType', artifactType);
    for (let page = 0; page < maxPages; page += 1) {
      const answer = await this.#sendTo(repository, url, {});
      if (answer.status === 404 && page === 0) return undefined;
      const { manifests = [] } = JSON.parse((await this.#read(answer, 200)).toString()) as {
        readonly manifests?: readonly { readonly digest: string }[];
      };
      found.push(...manifests.map((each) => each.digest));
      const next = /<([^>]+)>\s*;\s*rel="?next"?/i.exec(answer.headers.get('link') ?? '')?.[1];
      if (next === undefined || !URL.canParse(next, url)) break;
      url = new URL(next, url);
      if (url.origin !== this.#origin) break;
    }
    return found;
  }

  /** @returns its digest @throws RegistryRefused */
  async putBlob(repository: string, bytes: Buffer): Promise<string> {
    const digest = sha256(bytes);
    const there = await this.#send(repository, `blobs/${digest}`, { method: 'HEAD' });
    if (there.status === 200) return digest;
    const started = await this.#send(repository, 'blobs/uploads/', { method: 'POST' });
    await this.#read(started, 202);
    const place = new URL(started.headers.get('location') ?? '', `${this.#origin}/v2/${repository}/blobs/uploads/`);
    if (place.origin !== this.#origin) throw new RegistryRefused(`${this.#registry} wants the upload at ${place.host}`);
    place.searchParams.set('digest', digest);
    const init = { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body: new Uint8Array(bytes) };
    await this.#read(await this.#sendTo(repository, place, init), 201);
    return digest;
  }

  #send(repository: string, path: string, init: RequestInit): Promise<Response> {
    return this.#sendTo(repository, new URL(`${this.#origin}/v2/${repository}/${path}`), init);
  }

  async #sendTo(repository: string, url: URL, init: RequestInit): Promise<Response> {
    const authorization = this.#tokens.get(repository) ?? this.#basic;
    const answer = await this.#fetch(url, init, authorization);
    if (answer.status !== 401) return answer;
    const token = await this.#tokenFor(answer, repository);
    if (token === undefined) return answer;
    this.#tokens.set(repository, `Bearer ${token}`);
    return this.#fetch(url, init, `Bearer ${token}`);
  }

  async #fetch(url: URL, init: RequestInit, authorization: string | undefined): Promise<Response> {
    const headers = new Headers(init.headers);
    if (authorization !== undefined) headers.set('authorization', authorization);
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(timeoutMs)]);
    try {
      // Fetch drops the authorization where it is redirected to another origin.
      return await fetch(url, { ...init, headers, signal });
    } catch (error) {
      this.#signal.throwIfAborted();
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
      throw new RegistryRefused(`${this.#registry} cannot be reached${cause === '' ? '' : `: ${cause}`}`);
    }
  }

  /** The login goes only to a token service on the registry's own host. */
  async #tokenFor(refused: Response, repository: string): Promise<string | undefined> {
    const challenge = refused.headers.get('www-authenticate') ?? '';
    const parameter = (name: string): string | undefined => new RegExp(`${name}="([^"]*)"`, 'i').exec(challenge)?.[1];
    const realm = parameter('realm');
    if (!/^bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    if (url.origin !== this.#origin) return undefined;
    const service = parameter('service');
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${repository}:pull,push`);
    const answer = await this.#fetch(url, {}, this.#basic);
    if (answer.status !== 200) return undefined;
    const { access_token: access, token } = JSON.parse((await this.#read(answer, 200)).toString()) as {
      access_token?: string;
      token?: string;
    };
    return access ?? token;
  }

  async #read(answer: Response, expected: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.body ?? []) {
      size += chunk.length;
      if (size > maxBytes) throw new RegistryRefused(`${this.#registry} answers with more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    if (answer.status === expected) return bytes;
    throw new RegistryRefused(`${this.#registry} answers ${answer.status}: ${messageOf(bytes)}`);
  }
}

/** What a registry says was wrong. */
function messageOf(bytes: Buffer): string {
  const text = bytes.toString('utf8', 0, 2000);
  try {
    const { errors } = JSON.parse(text) as { errors?: readonly { code?: string; message?: string }[] };
    return (errors ?? []).map(({ code = '', message = '' }) => `${code} ${message}`.trim()).join('; ');
  } catch {
    return text.slice(0, 200);
  }
}

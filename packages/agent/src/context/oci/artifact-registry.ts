import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RegistryLogin } from '@berth/api';
import { speaksPlainHttp } from '../../engine/index.ts';
import { AnswerError, httpGet } from '../http-get.ts';
import { readBody } from '../save-body.ts';
import { SourceError } from '../source-error.ts';

const maxTokenBytes = 64 * 1024;
const maxManifestBytes = 4 * 1024 * 1024;

/** Token services that their operators document for a registry of another host. */
const documentedRealms: Readonly<Record<string, string>> = {
  'registry-1.docker.io': 'auth.docker.io',
  'registry.gitlab.com': 'gitlab.com',
};

export interface ArtifactPlace {
  readonly registry: string;
  readonly repository: string;
}

/** Reads manifests and blobs of one repository, with the run's login for its registry, or anonymously. */
export class ArtifactRegistry {
  readonly #origin: string;
  readonly #repository: string;
  readonly #signal: AbortSignal;
  readonly #basic: string | undefined;
  #authorization: string | undefined;

  constructor({ registry, repository }: ArtifactPlace, logins: readonly RegistryLogin[], signal: AbortSignal) {
    this.#origin = `${speaksPlainHttp(registry, logins) ? 'http' : 'https'}://${registry === 'docker.io' ? 'registry-1.docker.io' : registry}`;
    this.#repository = repository;
    this.#signal = signal;
    const login = logins.find(({ server }) => server.toLowerCase() === registry.toLowerCase());
    const text = login === undefined ? undefined : `${login.username}:${login.password}`;
    this.#basic = text === undefined ? undefined : `Basic ${Buffer.from(text).toString('base64')}`;
  }

  /** @param reference a tag, or a digest, which the bytes are compared with @throws SourceError */
  async manifest(reference: string, accept: string): Promise<Buffer> {
    const answer = await this.#get(`manifests/${reference}`, { Accept: accept });
    const bytes = await readBody(answer, maxManifestBytes);
    if (reference.includes(':')) requireDigest(reference, createHash(algorithmOf(reference)).update(bytes).digest('hex'));
    return bytes;
  }

  /** The bytes of a blob; the end fails unless they are those of its digest, and as many. @throws SourceError */
  async *blob(digest: string, sizeBytes: number): AsyncGenerator<Buffer> {
    const hash = createHash(algorithmOf(digest));
    let bytes = 0;
    for await (const chunk of (await this.#get(`blobs/${digest}`, {})) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > sizeBytes) break;
      hash.update(chunk);
      yield chunk;
    }
    if (bytes !== sizeBytes)
      throw new SourceError(`the blob ${digest} is not as long as its manifest says: push the artifact again`);
    requireDigest(digest, hash.digest('hex'));
  }

  async #get(path: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    const url = new URL(`${this.#origin}/v2/${this.#repository}/${path}`);
    const ask = (accepted: readonly number[]): Promise<IncomingMessage> => {
      const authorization = this.#authorization ?? this.#basic;
      const own = { ...headers, ...(authorization !== undefined && { Authorization: authorization }) };
      return httpGet(url, { headers: own, signal: this.#signal, accepted });
    };
    const first = await ask([200, 401, 403]);
    if (first.statusCode === 200) return first;
    first.resume();
    const token = first.statusCode === 401 ? await this.#token(first.headers['www-authenticate'] ?? '') : undefined;
    if (token !== undefined) {
      this.#authorization = `Bearer ${token}`;
      const second = await ask([200, 401, 403]);
      if (second.statusCode === 200) return second;
      second.resume();
    }
    throw new AnswerError(
      `${url.host} does not let the run read ${this.#repository}: give it a login for this registry that may pull`,
      403,
    );
  }

  /** Any registry can name any token service: the login goes only where the registry's own operator surely is (attack 29). */
  async #token(challenge: string): Promise<string | undefined> {
    const parameter = (name: string): string | undefined => new RegExp(`\\b${name}="([^"]{0,2000})"`, 'i').exec(challenge)?.[1];
    const realm = parameter('realm');
    if (!/^bearer\s/i.test(challenge) || realm === undefined || !URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    const service = parameter('service');
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${this.#repository}:pull`);
    const headers: Record<string, string> = this.#basic !== undefined && this.#isOwn(url) ? { Authorization: this.#basic } : {};
    const answer = await httpGet(url, { headers, signal: this.#signal, accepted: [200, 400, 401, 403] });
    const text = (await readBody(answer, maxTokenBytes)).toString('utf8');
    if (answer.statusCode !== 200) return undefined;
    const { token, access_token: access } = JSON.parse(text) as { readonly token?: unknown; readonly access_token?: unknown };
    const found = token ?? access;
    return typeof found === 'string' && /^[\x21-\x7E]+$/.test(found) ? found : undefined;
  }

  #isOwn(realm: URL): boolean {
    const own = new URL(this.#origin);
    if (realm.origin === own.origin) return true;
    if (realm.protocol !== 'https:') return false;
    return realm.hostname === own.hostname || documentedRealms[own.hostname] === realm.hostname;
  }
}

export function algorithmOf(digest: string): 'sha256' | 'sha512' {
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return 'sha256';
  if (/^sha512:[0-9a-f]{128}$/.test(digest)) return 'sha512';
  throw new SourceError(`${JSON.stringify(digest.slice(0, 150))} is no digest: the artifact's manifest is not in order`);
}

function requireDigest(digest: string, hex: string): void {
  if (digest.slice(digest.indexOf(':') + 1) === hex) return;
  throw new SourceError(`the registry answers for ${digest} with other bytes: it, or what stands before it, is not in order`);
}

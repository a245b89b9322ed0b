import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Digest, digestAlgorithm, isDigest, maxManifestBytes, mediaTypes } from '@berth/oci';
import { type OutboundAnswer, OutboundError } from '../outbound/index.ts';
import type { RegistryAddress } from './address.ts';
import { Authorization, type RemoteCredentials } from './authorization.ts';
import { type Patience, requestPatiently } from './patient-request.ts';
import { findReferrers } from './referrers.ts';
import { RemoteError, fromOutbound } from './remote-error.ts';
import { type BodyFrom, resumedBody } from './resumed-body.ts';

export interface RemoteManifest {
  readonly digest: Digest;
  /** Undefined: the registry did not say anything that a manifest could be; the document may. */
  readonly mediaType: string | undefined;
  readonly bytes: Buffer;
}

export interface RemoteRepositoryOptions {
  readonly patience: Patience;
  readonly address: RegistryAddress;
  /** As the registry calls it. */
  readonly repository: string;
  readonly credentials: RemoteCredentials | undefined;
}

interface Wanted {
  /** Below the repository, such as `manifests/latest`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly totalMs?: number;
  readonly method?: 'HEAD';
}

const accepted = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
  mediaTypes.ociArtifact,
  mediaTypes.orasArtifact,
].join(', ');

/** What says that a small blob is not there may be larger than the blob. */
const maxErrorBytes = 64 * 1024;

/** Of one connection: a body that takes longer goes on with a range. */
const blobMs = 6 * 3_600_000;

/** One repository of another registry, to be read. Methods fail with a RemoteError, or the signal's reason. */
export class RemoteRepository {
  readonly #options: RemoteRepositoryOptions;
  readonly #authorization: Authorization;
  #greeting: Promise<void> | undefined;

  constructor(options: RemoteRepositoryOptions) {
    const { patience, address, repository, credentials } = options;
    this.#options = options;
    this.#authorization = new Authorization({ patience, origin: address.origin, repository, credentials });
  }

  /** By tag or digest; its bytes have the digest. */
  async manifest(reference: string, signal: AbortSignal): Promise<RemoteManifest> {
    const wanted = { path: `manifests/${reference}`, headers: { accept: accepted }, maxBytes: maxManifestBytes };
    const answer = await this.#get(wanted, signal);
    this.#require(answer, 200, `the manifest ${reference}`);
    const bytes = await answer.bytes().catch((error: unknown) => Promise.reject(asRemote(error)));
    const announced = answer.headers['docker-content-digest'] ?? '';
    const expected = isDigest(reference) ? reference : isDigest(announced) ? announced : undefined;
    const digest = digestOf(bytes, expected);
    if (expected !== undefined && digest !== expected)
      throw new RemoteError('unusable', `${this.#host} sent a manifest with the digest ${digest}, not ${expected}`);
    const type = answer.headers['content-type']?.split(';', 1)[0]?.trim() ?? '';
    return { digest, mediaType: type.startsWith('application/vnd.') ? type : undefined, bytes };
  }

  /**
   * What a tag names now, without its bytes: asked for on condition that it is no longer `known`. A registry that does not
   * say the digest is asked for the manifest.
   */
  async digest(tag: string, known: string | undefined, signal: AbortSignal): Promise<string> {
    const condition = known === undefined ? {} : { 'if-none-match': `"${known}"` };
    const headers = { accept: accepted, ...condition };
    const answer = await this.#get({ path: `manifests/${tag}`, headers, maxBytes: maxManifestBytes, method: 'HEAD' }, signal);
    answer.discard();
    if (answer.status === 304 && known !== undefined) return known;
    // Some registries know no HEAD: they say so in one of these ways.
    if (answer.status !== 405 && answer.status !== 501) this.#require(answer, 200, `the manifest ${tag}`);
    const announced = answer.headers['docker-content-digest'] ?? '';
    return isDigest(announced) ? announced : (await this.manifest(tag, signal)).digest;
  }

  /** As many bytes as announced, across broken connections. Whoever takes them checks the digest. */
  blob(digest: Digest, sizeBytes: number, signal: AbortSignal): Readable {
    return resumedBody(sizeBytes, (offset) => this.#blobFrom(digest, { offset, sizeBytes, signal }));
  }

  /** Digests of what claims to name a subject, a page at a time. A registry that knows no referrers has none. */
  referrers(subject: Digest, signal: AbortSignal): AsyncIterable<readonly Digest[]> {
    return findReferrers(subject, (path) =>
      this.#get({ path, headers: { accept: mediaTypes.ociIndex }, maxBytes: maxManifestBytes }, signal),
    );
  }

  get #host(): string {
    return this.#options.address.host;
  }

  async #blobFrom(
    digest: Digest,
    { offset, sizeBytes, signal }: { readonly offset: number; readonly sizeBytes: number; readonly signal: AbortSignal },
  ): Promise<BodyFrom> {
    const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const maxBytes = Math.max(sizeBytes, maxErrorBytes);
    const answer = await this.#get({ path: `blobs/${digest}`, headers, maxBytes, totalMs: blobMs }, signal);
    if (answer.status !== 206) {
      this.#require(answer, 200, `the blob ${digest}`);
      return { body: answer.body, start: 0 };
    }
    const start = /^bytes (\d{1,16})-/.exec(answer.headers['content-range'] ?? '')?.[1];
    if (start !== undefined && Number(start) <= offset) return { body: answer.body, start: Number(start) };
    answer.discard();
    throw new RemoteError('unusable', `${this.#host} sent another range of the blob ${digest} than it was asked for`);
  }

  /** An answer of any status but those of a challenge and of a busy server. */
  async #get({ path, headers, maxBytes, totalMs, method }: Wanted, signal: AbortSignal): Promise<OutboundAnswer> {
    const { patience, address, repository } = this.#options;
    this.#greeting ??= this.#greet(signal);
    await this.#greeting;
    const url = `${address.origin}/v2/${repository}/${path}`;
    for (let isSecond = false; ; isSecond = true) {
      const { header } = this.#authorization;
      const sent = { ...headers, ...(header !== undefined && { authorization: header }) };
      const answer = await requestPatiently(patience, {
        url,
        headers: sent,
        maxBytes,
        signal,
        ...(totalMs && { totalMs }),
        ...(method && { method }),
      });
      if (answer.status !== 401) return answer;
      answer.discard();
      // Where a redirect leads is not whom the credentials are for.
      if (isSecond || answer.url.origin !== new URL(url).origin) throw this.#authorization.denied();
      await this.#authorization.renew(header, answer.headers['www-authenticate'], signal);
    }
  }

  /** Whoever has credentials says so at once: what everybody may read may be less, and looks complete. */
  async #greet(signal: AbortSignal): Promise<void> {
    const { patience, address, credentials } = this.#options;
    if (credentials === undefined) return;
    const answer = await requestPatiently(patience, { url: `${address.origin}/v2/`, maxRedirects: 0, signal });
    answer.discard();
    if (answer.status === 401) await this.#authorization.renew(undefined, answer.headers['www-authenticate'], signal);
  }

  #require(answer: OutboundAnswer, status: number, what: string): void {
    if (answer.status === status) return;
    answer.discard();
    if (answer.status === 403) throw this.#authorization.denied();
    if (answer.status === 404)
      throw new RemoteError('not-found', `${this.#host} has no such thing in ${this.#options.repository}: ${what}`);
    throw new RemoteError(
      'unusable',
      `${this.#host} answers ${answer.status} when asked for ${what} of ${this.#options.repository}`,
    );
  }
}

function digestOf(bytes: Buffer, like: Digest | undefined): Digest {
  const algorithm = like === undefined ? 'sha256' : digestAlgorithm(like);
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

function asRemote(error: unknown): unknown {
  return error instanceof OutboundError ? fromOutbound(error) : error;
}

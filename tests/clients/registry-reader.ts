import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { mediaTypes } from './sample-image.ts';
import type { Target } from './target.ts';

/** Looks into the registry beside the client, to see what the client really stored. */
export class RegistryReader {
  readonly #target: Target;
  readonly #agent: Agent;

  constructor(target: Target) {
    this.#target = target;
    const connect = target.authorityFile === undefined ? {} : { ca: readFileSync(target.authorityFile) };
    this.#agent = new Agent({ connect });
  }

  async manifest(
    repository: string,
    reference: string,
  ): Promise<{ readonly status: number; readonly digest: string; readonly bytes: Buffer }> {
    const accept = [mediaTypes.index, mediaTypes.manifest, dockerManifest, dockerList, '*/*'].join(', ');
    const answer = await this.#get(`/v2/${repository}/manifests/${reference}`, accept);
    return { ...answer, digest: answer.digest };
  }

  async blob(repository: string, digest: string): Promise<{ readonly status: number; readonly bytes: Buffer }> {
    return this.#get(`/v2/${repository}/blobs/${digest}`, '*/*');
  }

  async tags(repository: string): Promise<readonly string[]> {
    const { status, bytes } = await this.#get(`/v2/${repository}/tags/list`, 'application/json');
    if (status === 404) return [];
    const { tags } = JSON.parse(bytes.toString('utf8')) as { readonly tags: readonly string[] | null };
    return tags ?? [];
  }

  /** Stores a manifest list, for clients that cannot make one in this setting. */
  async putList(
    repository: string,
    tag: string,
    manifests: readonly { readonly digest: string; readonly architecture: string }[],
  ): Promise<void> {
    const entries = manifests.map(async ({ digest, architecture }) => {
      const { bytes } = await this.manifest(repository, digest);
      const { mediaType } = JSON.parse(bytes.toString('utf8')) as { readonly mediaType: string };
      return { mediaType, digest, size: bytes.length, platform: { os: 'linux', architecture } };
    });
    const body = JSON.stringify({ schemaVersion: 2, mediaType: dockerList, manifests: await Promise.all(entries) });
    const answer = await request(new URL(`/v2/${repository}/manifests/${tag}`, this.#target.origin), {
      method: 'PUT',
      dispatcher: this.#agent,
      headers: { authorization: this.#authorization(), 'content-type': dockerList },
      body,
    });
    if (answer.statusCode !== 201) throw new Error(`PUT of a list: ${answer.statusCode} ${await answer.body.text()}`);
    await answer.body.dump();
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  #authorization(): string {
    const { username, password } = this.#target;
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }

  async #get(
    path: string,
    accept: string,
  ): Promise<{ readonly status: number; readonly digest: string; readonly bytes: Buffer }> {
    const headers = { authorization: this.#authorization(), accept };
    const answer = await request(new URL(path, this.#target.origin), { dispatcher: this.#agent, headers });
    const digest = answer.headers['docker-content-digest'];
    return {
      status: answer.statusCode,
      digest: typeof digest === 'string' ? digest : '',
      bytes: Buffer.from(await answer.body.arrayBuffer()),
    };
  }
}

const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';

import assert from 'node:assert/strict';
import type { ClientAnswer, RegistryClient } from '@berth/testkit';

interface Tag {
  readonly name: string;
  readonly digest: string;
  readonly lastUpdateTime: string;
  readonly changeableAttributes: { readonly deleteEnabled: boolean; readonly writeEnabled: boolean };
}

interface ManifestAttributes {
  readonly digest: string;
  readonly mediaType: string;
  readonly lastUpdateTime: string;
  readonly tags?: readonly string[];
  readonly changeableAttributes: { readonly deleteEnabled: boolean; readonly writeEnabled: boolean };
}

/** What acr-cli asks for at once. */
const pageSize = 100;
const indexTypes = ['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json'];
const manifestAccept = [
  '*/*',
  'application/vnd.cncf.oras.artifact.manifest.v1+json',
  'application/vnd.oci.artifact.manifest.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  ...indexTypes.slice(0, 1),
  'application/vnd.docker.distribution.manifest.v2+json',
  ...indexTypes.slice(1),
].join(', ');

export interface AcrCliPurge {
  readonly repository: RegExp;
  readonly tags: RegExp;
  readonly olderThan: number;
  readonly keep?: number;
  readonly untagged?: boolean;
  readonly includeLocked?: boolean;
}

/**
 * The requests of acr-cli (1.0 of its purge), written down from its public source, in its order, and as strict as it is with
 * answers: it takes members for granted, and ends the process where one is missing.
 */
export class AcrCliClient {
  readonly #client: RegistryClient;
  readonly #authorization: string;

  private constructor(client: RegistryClient, authorization: string) {
    this.#client = client;
    this.#authorization = authorization;
  }

  static withPassword(client: RegistryClient): AcrCliClient {
    return new AcrCliClient(client, client.basic);
  }

  /** What `az acr login --expose-token` gave stands for a password when there is no user name, or the nil one. */
  static async withRefreshToken(client: RegistryClient, service: string, refreshToken: string): Promise<AcrCliClient> {
    const isAbac = 'aad_identity' in claimsOf(refreshToken);
    const form = { grant_type: 'refresh_token', service, refresh_token: refreshToken };
    const scope = isAbac ? 'registry:catalog:*' : 'registry:catalog:* repository:*:*';
    const answer = await client.request('POST', '/oauth2/token', {
      authorization: 'none',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...form, scope }).toString(),
    });
    assert.equal(answer.status, 200, answer.body.toString());
    const { access_token: token } = JSON.parse(answer.body.toString()) as { access_token: string };
    // It asks for another five minutes before this.
    assert.equal(typeof claimsOf(token)['exp'], 'number');
    return new AcrCliClient(client, `Bearer ${token}`);
  }

  /** `acr purge`: what it untagged and deleted. */
  async purge(options: AcrCliPurge): Promise<{ readonly tags: string[]; readonly manifests: string[] }> {
    const done = { tags: [] as string[], manifests: [] as string[] };
    for (const repository of (await this.repositories()).filter((name) => options.repository.test(name))) {
      done.tags.push(...(await this.#purgeTags(repository, options)));
      if (options.untagged === true) done.manifests.push(...(await this.#purgeUntagged(repository, options)));
    }
    return done;
  }

  /** Asks for pages until one is empty, without a look at `Link`. */
  async repositories(): Promise<string[]> {
    const names: string[] = [];
    for (;;) {
      const last = names.at(-1);
      const page = await this.#json('GET', `/acr/v1/_catalog?${query({ last, n: pageSize })}`);
      const found = page['repositories'] as string[] | null | undefined;
      if (found === undefined || found === null || found.length === 0) return names;
      names.push(...found);
    }
  }

  async tags(repository: string, orderby = ''): Promise<Tag[]> {
    const tags: Tag[] = [];
    for (let last: string | undefined = ''; last !== undefined; ) {
      const page = await this.#tagPage(repository, orderby, last);
      tags.push(...page.tags);
      last = page.next === '' ? undefined : page.next;
    }
    return tags;
  }

  async untag(repository: string, tag: string): Promise<number> {
    return (await this.#send('DELETE', `/acr/v1/${repository}/_tags/${tag}`)).status;
  }

  async deleteManifest(repository: string, reference: string): Promise<number> {
    return (await this.#send('DELETE', `/v2/${repository}/manifests/${reference}`)).status;
  }

  /** Goes on after the last digest until there is no list: the last member of an empty one would end the process. */
  async manifests(repository: string): Promise<ManifestAttributes[]> {
    const manifests: ManifestAttributes[] = [];
    for (;;) {
      const last = manifests.at(-1)?.digest;
      const page = await this.#json('GET', `/acr/v1/${repository}/_manifests?${query({ last, n: pageSize })}`);
      const found = page['manifests'] as ManifestAttributes[] | null | undefined;
      if (found === undefined || found === null) return manifests;
      assert.notEqual(found.length, 0, 'acr-cli takes the last of every list that is there');
      manifests.push(...found);
    }
  }

  async #purgeTags(repository: string, options: AcrCliPurge): Promise<string[]> {
    const deleted: string[] = [];
    let kept = 0;
    for (let last: string | undefined = ''; last !== undefined; ) {
      const page = await this.#tagPage(repository, 'timedesc', last);
      for (const { name, lastUpdateTime, changeableAttributes } of page.tags) {
        if (!options.tags.test(name) || timeOf(lastUpdateTime) >= options.olderThan) continue;
        const isLocked = !changeableAttributes.deleteEnabled || !changeableAttributes.writeEnabled;
        if (isLocked && options.includeLocked !== true) continue;
        if (kept < (options.keep ?? 0)) {
          kept += 1;
          continue;
        }
        if (isLocked) await this.#unlock(`/acr/v1/${repository}/_tags/${name}`);
        assert.ok([202, 404].includes(await this.untag(repository, name)), name);
        deleted.push(name);
      }
      last = page.next === '' ? undefined : page.next;
    }
    return deleted;
  }

  async #purgeUntagged(repository: string, options: AcrCliPurge): Promise<string[]> {
    const candidates = new Map<string, ManifestAttributes>();
    const spared = new Set<string>();
    for (const manifest of await this.manifests(repository)) {
      const { digest, mediaType, tags = [], changeableAttributes } = manifest;
      const isLocked = !changeableAttributes.deleteEnabled || !changeableAttributes.writeEnabled;
      if (isLocked && options.includeLocked !== true) continue;
      if (tags.length > 0) {
        if (indexTypes.includes(mediaType)) for (const child of await this.#childrenOf(repository, digest)) spared.add(child);
        continue;
      }
      if (timeOf(manifest.lastUpdateTime) >= options.olderThan) continue;
      const { subject } = await this.#manifest(repository, digest);
      if (subject === undefined) candidates.set(digest, manifest);
      else for (const child of await this.#childrenOf(repository, digest)) spared.add(child);
    }
    const deleted = [...candidates.keys()].filter((digest) => !spared.has(digest));
    for (const digest of deleted) {
      const attributes = candidates.get(digest)?.changeableAttributes;
      if (attributes?.deleteEnabled === false || attributes?.writeEnabled === false)
        await this.#unlock(`/acr/v1/${repository}/_manifests/${digest}`);
    }
    // In parallel, as its pool does: what goes with another may be gone already.
    const statuses = await Promise.all(deleted.map((digest) => this.deleteManifest(repository, digest)));
    for (const status of statuses) assert.ok([202, 404].includes(status), String(status));
    return deleted;
  }

  async #childrenOf(repository: string, digest: string): Promise<string[]> {
    const { manifests = [] } = await this.#manifest(repository, digest);
    const found = manifests.map((each) => each.digest);
    for (const { mediaType, digest: nested } of manifests)
      if (indexTypes.includes(mediaType)) found.push(...(await this.#childrenOf(repository, nested)));
    return found;
  }

  async #manifest(
    repository: string,
    digest: string,
  ): Promise<{ subject?: object; manifests?: { readonly digest: string; readonly mediaType: string }[] }> {
    const answer = await this.#send('GET', `/v2/${repository}/manifests/${digest}`, { accept: manifestAccept });
    assert.equal(answer.status, 200);
    return JSON.parse(answer.body.toString()) as object;
  }

  async #unlock(path: string): Promise<void> {
    const answer = await this.#client.request('PATCH', path, {
      authorization: this.#authorization,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ deleteEnabled: true, writeEnabled: true }),
    });
    assert.ok([200, 202].includes(answer.status), answer.body.toString());
  }

  async #tagPage(repository: string, orderby: string, last: string): Promise<{ tags: readonly Tag[]; next: string }> {
    const path = `/acr/v1/${repository}/_tags?${query({ last, n: pageSize, orderby })}`;
    const answer = await this.#send('GET', path);
    assert.equal(answer.status, 200, answer.body.toString());
    const page = JSON.parse(answer.body.toString()) as { tags?: readonly Tag[] | null };
    return { tags: page.tags ?? [], next: lastOfLink(answer.headers.link) };
  }

  async #json(method: string, path: string): Promise<Record<string, unknown>> {
    const answer = await this.#send(method, path);
    assert.equal(answer.status, 200, answer.body.toString());
    return JSON.parse(answer.body.toString()) as Record<string, unknown>;
  }

  #send(method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<ClientAnswer> {
    return this.#client.request(method, path, { authorization: this.#authorization, headers });
  }
}

/** Empty ones are left out. */
function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

/** It cuts the header at the first `?` and the `>` behind it, and reads `last` from what is between. */
function lastOfLink(link: string | string[] | undefined): string {
  const behind = String(link ?? '').split('?')[1];
  return behind === undefined ? '' : (new URLSearchParams(behind.split('>')[0]).get('last') ?? '');
}

/** RFC 3339 with up to nine digits, which it parses strictly. */
function timeOf(text: string): number {
  assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/);
  return Date.parse(text);
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}

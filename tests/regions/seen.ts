import { digestOf } from '@berth/testkit';
import type { Region } from './region.ts';

/** What a region shows of one repository. */
export interface SeenRepository {
  /** Tag: digest. */
  readonly tags: Readonly<Record<string, string>>;
  readonly manifests: readonly string[];
  /** `tag:v1` or a digest: the attributes that are off. */
  readonly locks: Readonly<Record<string, readonly string[]>>;
}

const attributes = ['deleteEnabled', 'writeEnabled', 'listEnabled', 'readEnabled'] as const;
type Attributes = Readonly<Record<(typeof attributes)[number], boolean>>;

interface Listed {
  readonly name?: string;
  readonly digest: string;
  readonly changeableAttributes: Attributes;
}

/** Undefined: there is no such repository, or nothing in it. */
export async function seeRepository(region: Region, repository: string): Promise<SeenRepository | undefined> {
  const [tags, manifests] = [await all(region, repository, 'tags'), await all(region, repository, 'manifests')];
  if (tags.length === 0 && manifests.length === 0) return undefined;
  const locks: Record<string, readonly string[]> = {};
  for (const each of tags) addLocks(locks, `tag:${each.name ?? ''}`, each.changeableAttributes);
  for (const each of manifests) addLocks(locks, each.digest, each.changeableAttributes);
  return {
    tags: Object.fromEntries(tags.map(({ name = '', digest }) => [name, digest])),
    manifests: manifests.map(({ digest }) => digest).toSorted(),
    locks,
  };
}

function addLocks(locks: Record<string, readonly string[]>, name: string, of: Attributes): void {
  const off = attributes.filter((attribute) => !of[attribute]);
  if (off.length > 0) locks[name] = off;
}

async function all({ client, name }: Region, repository: string, what: 'tags' | 'manifests'): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  let path: string | undefined = `/acr/v1/${repository}/_${what}?n=100`;
  while (path !== undefined) {
    const answer = await client.request('GET', path);
    if (answer.status === 404) return found;
    if (answer.status !== 200) throw new Error(`${name} lists ${what}: ${answer.status} ${answer.body}`);
    found.push(...((JSON.parse(answer.body.toString()) as Record<string, readonly Listed[] | null>)[what] ?? []));
    path = /<([^>]+)>/.exec(String(answer.headers['link'] ?? ''))?.[1];
  }
  return found;
}

/** Pulls a manifest with its blobs, and checks each by its digest. Undefined: all is well. */
export async function pullWhole(region: Region, repository: string, digest: string): Promise<string | undefined> {
  const manifest = await region.client.request('GET', `/v2/${repository}/manifests/${digest}`);
  if (manifest.status !== 200) return `${region.name}: ${repository}@${digest} is answered ${manifest.status} ${manifest.body}`;
  if (digestOf(manifest.body) !== digest) return `${region.name}: ${repository}@${digest} has other bytes`;
  const { config, layers = [] } = JSON.parse(manifest.body.toString()) as {
    readonly config?: { readonly digest: string };
    readonly layers?: readonly { readonly digest: string }[];
  };
  for (const blob of [...(config === undefined ? [] : [config]), ...layers]) {
    const answer = await region.client.request('GET', `/v2/${repository}/blobs/${blob.digest}`);
    if (answer.status !== 200 || digestOf(answer.body) !== blob.digest)
      return `${region.name}: the blob ${blob.digest} of ${repository}@${digest} is answered ${answer.status}`;
  }
  return undefined;
}

import type { FactRequest } from '@berth/api';
import {
  type LocalChange,
  changeRow,
  factOf,
  isThere,
  isVisible,
  logFacts,
  nextClock,
  valuesThatHold,
} from '../../changes/index.ts';
import { defineTransaction } from '../../platform/database/index.ts';
import { requireDeletable } from '../../repositories/index.ts';
import { project } from './project.ts';
import { RepositoryRegisters } from './repository-registers.ts';
import { type Scene, lockRepository, repositoryRegister } from './scene.ts';
import { stateOfTag } from './tag-state.ts';

export interface RemoveAwaited {
  readonly registryId: number;
  readonly repository: string;
  readonly of: { readonly tag: string } | { readonly digest: string };
  readonly request: FactRequest | undefined;
  readonly now: number;
  readonly dueAt: number;
}

/**
 * Deletes what other regions told of and is not complete here, as a client deletes what is: a deed of this region, later than all
 * that was told. False: nothing of that name is on its way. @throws REGISTRY_DISALLOWED_OPERATION
 */
export const removeAwaited = defineTransaction(
  'replication.remove-awaited',
  async (tx, input: RemoveAwaited): Promise<boolean> => {
    const { registryId, repository, of, request, now } = input;
    const { id: repositoryId } = await lockRepository(tx, input, { isMade: false, now });
    const registers = new RepositoryRegisters(tx, registryId, repository);
    const scene: Scene = { tx, registryId, repository, repositoryId, registers, now, dueAt: input.dueAt };
    await registers.load('repository', ['']);
    const changes = 'tag' in of ? await untagging(scene, of.tag) : await deletion(scene, of.digest);
    if (changes === undefined) return false;
    requireUnlocked(scene, repositoryRegister(scene), `the repository ${repository}`);
    // Only now, when everything is locked, is what was seen known to be all.
    const log = await logFacts.first(tx, { registryId });
    if (log === undefined) return false;
    const stamp = { clock: nextClock(now, log.seen ?? 0), origin: log.region };
    const touched = { manifests: new Set<string>(), tags: new Set<string>(), isRepository: false };
    const rows = changes.map((change) => {
      const fact = factOf(change, stamp, request);
      registers.join(fact);
      (fact.kind === 'tag' ? touched.tags : touched.manifests).add(fact.name);
      return changeRow({ registryId, stamp, action: change.action, fact, isVisible: isVisible(change), now });
    });
    await registers.save();
    await project(scene, touched, notBrought);
    await tx.insertInto('changes').values(rows).execute();
    return true;
  },
);

function notBrought(digest: string): never {
  throw new Error(`${digest} is deleted and cannot be awaited`);
}

async function untagging(scene: Scene, tag: string): Promise<readonly LocalChange[] | undefined> {
  const { registers, repository } = scene;
  await registers.load('tag', [tag]);
  const { digest } = registers.get('tag', tag).set;
  if (digest === undefined) return undefined;
  await registers.load('manifest', [digest]);
  if (stateOf(scene, tag, digest) === 'gone') return undefined;
  requireUnlocked(scene, registers.get('tag', tag), `the tag ${tag} of ${repository}`);
  return [{ action: 'untag', repository, tag }];
}

/** Both must have been loaded. */
function stateOf(scene: Scene, tag: string, digest: string): ReturnType<typeof stateOfTag> {
  const { registers } = scene;
  return stateOfTag(registers.get('tag', tag), registers.get('manifest', digest), repositoryRegister(scene).deleted);
}

async function deletion(scene: Scene, digest: string): Promise<readonly LocalChange[] | undefined> {
  const { registers, repository } = scene;
  await registers.load('manifest', [digest]);
  if (!isThere(registers.get('manifest', digest), repositoryRegister(scene).deleted)) return undefined;
  requireUnlocked(scene, registers.get('manifest', digest), `the manifest ${digest} of ${repository}`);
  const named = await registers.loadTagsOf(digest);
  const tags = named.filter((tag) => stateOf(scene, tag, digest) !== 'gone');
  for (const tag of tags) requireUnlocked(scene, registers.get('tag', tag), `the tag ${tag} of ${repository}`);
  const untagged = tags.map((tag) => ({ action: 'untag', repository, tag, isVisible: false }) as const);
  return [...untagged, { action: 'delete', repository, digest, tags, ...(await contentOf(scene, digest)) }];
}

/** For webhooks; empty while the bytes of the manifest are still to be asked for. */
async function contentOf(
  { tx, registryId, repository }: Scene,
  digest: string,
): Promise<{ readonly content?: { readonly mediaType: string; readonly sizeBytes: number } }> {
  const row = await tx
    .selectFrom('pending_manifests')
    .select(['media_type', 'size_bytes'])
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .where('media_type', '!=', '')
    .executeTakeFirst();
  return row === undefined ? {} : { content: { mediaType: row.media_type, sizeBytes: row.size_bytes } };
}

function requireUnlocked(scene: Scene, register: Parameters<typeof valuesThatHold>[0], what: string): void {
  const { delete_enabled: deletable, write_enabled: writable } = valuesThatHold(register, repositoryRegister(scene).deleted);
  requireDeletable({ delete_enabled: deletable === 0 ? 0 : 1, write_enabled: writable === 0 ? 0 : 1 }, what);
}

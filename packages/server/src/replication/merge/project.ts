import type { Fact, Stamp } from '@berth/api';
import { type Register, isThere, manifestKind, tagKind, valuesThatHold } from '../../changes/index.ts';
import { placeAttributes, placeTag, renewManifest, takeManifest, takeRepository, takeTag } from '../../catalog/index.ts';
import { type ManifestToAwait, awaitManifest, awaitedDigests, stopAwaiting } from './pending-rows.ts';
import { type Scene, repositoryRegister } from './scene.ts';
import { stateOfTag } from './tag-state.ts';

/** What the registers of a repository look like here: which rows appear, change and go when they have moved on. */

/** Names whose registers may look different now. */
export interface Touched {
  readonly manifests: Set<string>;
  readonly tags: Set<string>;
  /** Of the repository itself. */
  isRepository: boolean;
}

/** What was here before, by name; for what webhooks are told. */
export interface Before {
  readonly manifests: ReadonlyMap<string, number>;
  readonly tags: ReadonlyMap<string, string>;
  readonly isRepository: boolean;
}

export interface Projected {
  /** Manifests that are here now. */
  readonly live: ReadonlySet<string>;
  readonly before: Before;
  /** Manifests that wait for content now, which did not before. */
  readonly pending: number;
  readonly areTagsMoved: boolean;
}

/** `describe`: what is known of a manifest that is to be brought. */
export async function project(scene: Scene, touched: Touched, describe: (digest: string) => ManifestToAwait): Promise<Projected> {
  const { registers } = scene;
  const isDeleted = isRepositoryDeleted(scene);
  const isRepository = scene.repositoryId !== undefined;
  if (isDeleted && (await isEmptied(scene))) {
    const before = await whatIsHere(scene, touched, isRepository);
    await takeAll(scene);
    return { live: new Set(), before, pending: 0, areTagsMoved: isRepository };
  }
  if (isDeleted) await touchAll(scene, touched);
  await registers.load('manifest', touched.manifests);
  await touchTagsOf(scene, touched);
  await registers.load('tag', touched.tags);
  await registers.load(
    'manifest',
    [...touched.tags].flatMap((tag) => registers.get('tag', tag).set.digest ?? []),
  );
  const before = await whatIsHere(scene, touched, isRepository);
  if (touched.isRepository && isRepository)
    await placeAttributes(scene.tx, { ...placeOf(scene), of: undefined, values: holding(scene, repositoryRegister(scene)) });
  const live = new Set(before.manifests.keys());
  const pending = await projectManifests(scene, touched, { live, before, describe });
  const areTagsMoved = await projectTags(scene, touched, { live, before });
  return { live, before, pending, areTagsMoved };
}

/** Its deletion is a part of what was told. */
function isRepositoryDeleted(scene: Scene): boolean {
  return repositoryRegister(scene).deleted !== scene.registers.before('repository', '').deleted;
}

function placeOf({ registryId, repository, now }: Scene) {
  return { registryId, repository, now };
}

/** The attributes of a name that hold, by their columns. */
export function holding(scene: Scene, register: Register) {
  return valuesThatHold(register, repositoryRegister(scene).deleted);
}

/** Whether nothing in a repository is later than its deletion. */
async function isEmptied(scene: Scene): Promise<boolean> {
  const { deleted } = repositoryRegister(scene);
  const survivor = await scene.tx
    .selectFrom('registers')
    .select('name')
    .where('registry_id', '=', scene.registryId)
    .where('repository', '=', scene.repository)
    .where('kind', '=', manifestKind)
    .where((eb) =>
      eb.or([
        eb('set_clock', '>', deleted.clock),
        eb.and([eb('set_clock', '=', deleted.clock), eb('set_origin', '>', deleted.origin)]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return survivor === undefined;
}

async function takeAll(scene: Scene): Promise<void> {
  const { tx, registryId, repository } = scene;
  await tx.deleteFrom('pending_manifests').where('registry_id', '=', registryId).where('repository', '=', repository).execute();
  if (scene.repositoryId !== undefined) await takeRepository(tx, placeOf(scene));
  scene.repositoryId = undefined;
}

/** Something in the repository is later than its deletion: then everything is looked at. */
async function touchAll(scene: Scene, touched: Touched): Promise<void> {
  touched.isRepository = true;
  for (const digest of await awaitedDigests(scene.tx, scene)) touched.manifests.add(digest);
  if (scene.repositoryId === undefined) return;
  const { tx, repositoryId } = scene;
  const manifests = await tx.selectFrom('manifests').select('digest').where('repository_id', '=', repositoryId).execute();
  for (const { digest } of manifests) touched.manifests.add(digest);
  const tags = await tx.selectFrom('tags').select('name').where('repository_id', '=', repositoryId).execute();
  for (const { name } of tags) touched.tags.add(name);
}

/** Tags whose manifest was deleted, or is there again: what they name may be shown no more, or again. */
async function touchTagsOf({ tx, registryId, repository, registers }: Scene, touched: Touched): Promise<void> {
  const repositoryDeleted = registers.get('repository', '').deleted;
  const turned = [...touched.manifests].filter((digest) => {
    const [before, now] = [registers.before('manifest', digest), registers.get('manifest', digest)];
    return before.deleted !== now.deleted || isThere(before, repositoryDeleted) !== isThere(now, repositoryDeleted);
  });
  for (let start = 0; start < turned.length; start += 500) {
    const rows = await tx
      .selectFrom('registers')
      .select('name')
      .where('registry_id', '=', registryId)
      .where('repository', '=', repository)
      .where('kind', '=', tagKind)
      .where('digest', 'in', turned.slice(start, start + 500))
      .execute();
    for (const { name } of rows) touched.tags.add(name);
  }
}

async function whatIsHere({ tx, repositoryId, registers }: Scene, touched: Touched, isRepository: boolean): Promise<Before> {
  const manifests = new Map<string, number>();
  const tags = new Map<string, string>();
  if (repositoryId === undefined) return { manifests, tags, isRepository };
  const named = [...touched.tags].map((tag) => (registers.has('tag', tag) ? registers.get('tag', tag).set.digest : undefined));
  const digests = [...new Set([...touched.manifests, ...named.filter((digest) => digest !== undefined)])];
  for (let start = 0; start < digests.length; start += 500) {
    const rows = await tx
      .selectFrom('manifests')
      .select(['id', 'digest'])
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', digests.slice(start, start + 500))
      .execute();
    for (const { id, digest } of rows) manifests.set(digest, id);
  }
  const names = [...touched.tags];
  for (let start = 0; start < names.length; start += 500) {
    const rows = await tx
      .selectFrom('tags')
      .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
      .select(['tags.name', 'manifests.digest'])
      .where('tags.repository_id', '=', repositoryId)
      .where('tags.name', 'in', names.slice(start, start + 500))
      .execute();
    for (const { name, digest } of rows) tags.set(name, digest);
  }
  return { manifests, tags, isRepository };
}

/** It was here and stays. */
async function changeManifest(scene: Scene, digest: string, { before: { manifests } }: ManifestsHere): Promise<void> {
  const { tx, registers, now } = scene;
  const [before, register] = [registers.before('manifest', digest), registers.get('manifest', digest)];
  const id = manifests.get(digest);
  // As a push does: retention is about the last one.
  if (before.set !== register.set && id !== undefined) await renewManifest(tx, id, { isTagged: false, now });
  // With each deletion goes what was said before it.
  const isSaidAnew = before.attributes !== register.attributes || before.deleted !== register.deleted;
  if (isSaidAnew || isRepositoryDeleted(scene))
    await placeAttributes(tx, { ...placeOf(scene), of: { digest }, values: holding(scene, register) });
}

interface ManifestsHere {
  readonly before: Before;
  /** Digests; those that go are taken off. */
  readonly live: Set<string>;
  readonly describe: (digest: string) => ManifestToAwait;
}

/** Returns how many began to wait for content. */
async function projectManifests(scene: Scene, touched: Touched, here: ManifestsHere): Promise<number> {
  const { live, describe } = here;
  const { tx, registers, dueAt } = scene;
  let pending = 0;
  for (const digest of [...touched.manifests].toSorted()) {
    const register = registers.get('manifest', digest);
    if (!isThere(register, repositoryRegister(scene).deleted)) {
      await stopAwaiting(scene, digest);
      if (live.delete(digest)) await takeManifest(tx, { ...placeOf(scene), digest, dueAt });
    } else if (!live.has(digest)) {
      if (await awaitManifest(scene, describe(digest))) pending += 1;
    } else await changeManifest(scene, digest, here);
  }
  return pending;
}

async function projectTags(
  scene: Scene,
  touched: Touched,
  { live, before }: { readonly live: ReadonlySet<string>; readonly before: Before },
): Promise<boolean> {
  const { tx, registers } = scene;
  let areMoved = false;
  for (const tag of [...touched.tags].toSorted()) {
    const register = registers.get('tag', tag);
    const { digest } = register.set;
    const manifest = digest === undefined ? undefined : registers.get('manifest', digest);
    const state = manifest === undefined ? 'gone' : stateOfTag(register, manifest, repositoryRegister(scene).deleted);
    if (state === 'gone') {
      const shown = before.tags.get(tag);
      // Otherwise it went with its manifest.
      if (shown !== undefined && (live.has(shown) || !before.manifests.has(shown))) {
        await takeTag(tx, { ...placeOf(scene), tag });
        areMoved = true;
      }
    } else if (state === 'shown' && digest !== undefined && live.has(digest)) {
      await placeTag(tx, { ...placeOf(scene), tag, digest, values: holding(scene, register) });
      if (before.tags.get(tag) !== digest) areMoved = true;
    } else if (before.tags.has(tag))
      // What it names is on its way. What it shows until then is locked as the name is.
      await placeAttributes(tx, { ...placeOf(scene), of: { tag }, values: holding(scene, register) });
  }
  return areMoved;
}

/** What is told to webhooks of this region of a fact that was joined. `later`: once it is complete. */
export function effectOf(scene: Scene, fact: Fact, { live, before }: Projected): 'seen' | 'unseen' | 'later' {
  const { registers } = scene;
  const repositoryDeleted = repositoryRegister(scene).deleted;
  if (fact.deleted !== undefined) {
    if (fact.kind === 'repository') return before.isRepository ? 'seen' : 'unseen';
    if (fact.kind === 'manifest') return before.manifests.has(fact.name) ? 'seen' : 'unseen';
    const named = before.tags.get(fact.name);
    return named === undefined || wentWith(scene, named, fact.deleted) ? 'unseen' : 'seen';
  }
  if (fact.set === undefined) return 'seen';
  if (fact.kind === 'manifest') {
    if (!isThere(registers.get('manifest', fact.name), repositoryDeleted)) return 'unseen';
    return live.has(fact.name) ? 'seen' : 'later';
  }
  const tag = registers.get('tag', fact.name);
  const { digest } = fact.set;
  if (digest === undefined || tag.set.clock !== fact.set.clock || tag.set.digest !== digest) return 'unseen';
  const state = stateOfTag(tag, registers.get('manifest', digest), repositoryDeleted);
  if (state === 'gone') return 'unseen';
  return state === 'shown' && live.has(digest) ? 'seen' : 'later';
}

/** A tag that went with its manifest: of the two, the deletion of the manifest is told. */
function wentWith({ registers }: Scene, digest: string, { clock, origin }: Stamp): boolean {
  if (!registers.has('manifest', digest)) return false;
  const { deleted } = registers.get('manifest', digest);
  return deleted.clock === clock && deleted.origin === origin;
}

import type { WriteQueries } from '../../platform/database/index.ts';
import { findRepositoryId } from '../../repositories/index.ts';
import type { Place } from '../bin/put-into-bin.ts';
import { countIn } from '../count-in.ts';
import { lockManifestsOfPush } from '../insert-manifest.ts';
import { pointTags } from '../point-tags.ts';
import { renewManifest } from '../untagged.ts';
import { type AttributeValues, placeAttributes } from './place-attributes.ts';

export interface TagToPlace extends Place {
  readonly tag: string;
  readonly digest: string;
  /** Those of its attributes that hold; the others are as they are of something new. */
  readonly values: AttributeValues;
}

/** Points a tag as it was pointed elsewhere, whatever locks say. False: its manifest is not here, and nothing was done. */
export async function placeTag(tx: WriteQueries, { tag, digest, values, ...place }: TagToPlace): Promise<boolean> {
  const { registryId, repository, now } = place;
  const repositoryId = await findRepositoryId(tx, registryId, repository);
  if (repositoryId === undefined) return false;
  const manifest = await lockManifestsOfPush(tx, repositoryId, { digest, tags: [tag] });
  if (manifest === undefined) return false;
  const manifestId = manifest.id;
  await renewManifest(tx, manifestId, { isTagged: true, now });
  const added = await pointTags(tx, { ...place, repositoryId, tags: [tag], digest, manifestId, moves: 'always', runId: null });
  await placeAttributes(tx, { ...place, of: { tag }, values });
  await tx
    .deleteFrom('deleted_tags')
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('name', '=', tag)
    .where('digest', '=', digest)
    .execute();
  await countIn(tx, repositoryId, { manifests: 0, tags: added.size, now });
  return true;
}

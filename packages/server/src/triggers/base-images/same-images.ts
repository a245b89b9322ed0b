import type { Task } from '../../tasks/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { TriggersContext } from '../triggers-context.ts';
import type { MovedImage } from './decide.ts';
import { imagesOf } from './images-of.ts';
import type { BaseImageLooks, PastImage } from './look.ts';
import { registryAt } from './model.ts';
import type { StoredBaseImage } from './transactions.ts';

/** The same text for the same images; undefined: nobody can tell now. */
export type ImagesAt = (past: PastImage) => Promise<string | undefined>;

/** Of registries elsewhere, with the credentials of the task. */
export function imagesIn(
  { manifestOf, registries }: TriggersContext,
  looks: BaseImageLooks,
  { registry, task }: { readonly registry: Registry; readonly task: Task },
): ImagesAt {
  return async ({ row, digest }) => {
    const home = registryAt(row.server, registries.all());
    if (home === undefined) return looks.images(registry, task, { row, digest });
    const manifest = await manifestOf(home.id, { repository: row.repository, digest });
    return manifest && imagesOf(manifest).join();
  };
}

/** Whether what a tag names now has the images of what was used, or of what a run was queued for: only the index around them is another. */
export async function sameImages(row: StoredBaseImage, current: string, imagesAt: ImagesAt): Promise<MovedImage['sameImagesAs']> {
  const { recorded_digest: recorded, handled_digest: handled } = row;
  if (current === recorded || current === handled) return undefined;
  const images = await imagesAt({ row, digest: current });
  if (images === undefined) return undefined;
  if ((await imagesAt({ row, digest: recorded })) === images) return 'recorded';
  return handled !== null && (await imagesAt({ row, digest: handled })) === images ? 'handled' : undefined;
}

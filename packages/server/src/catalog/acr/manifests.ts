import { manifestDocument } from './documents.ts';
import { type ManifestRecord, tagsOfManifests } from './queries.ts';
import type { CatalogContext } from '../catalog-context.ts';
import { type Place, describeManifest } from './describe-manifest.ts';

/** A manifest may carry a million tags; more than these are listed by `_tags?digest=`. */
const maxTagsShown = 1000;

/** Manifests and configs that are opened at once. */
const openedAtOnce = 8;

/** Rows with what their content tells. */
export async function describedManifests(
  context: CatalogContext,
  place: Place,
  records: readonly ManifestRecord[],
): Promise<readonly object[]> {
  const ids = records.map((record) => record.id);
  const tags = await tagsOfManifests(context.database.read, ids, maxTagsShown);
  const documents: object[] = [];
  for (let start = 0; start < records.length; start += openedAtOnce) {
    const some = records.slice(start, start + openedAtOnce);
    const described = await Promise.all(some.map((record) => describeManifest(context, place, record)));
    some.forEach((record, at) =>
      documents.push(
        manifestDocument(record, {
          description: described[at] ?? { imageSize: record.size_bytes },
          tags: tags.get(record.id) ?? [],
          isQuarantineEnabled: place.isQuarantineEnabled,
        }),
      ),
    );
  }
  return documents;
}

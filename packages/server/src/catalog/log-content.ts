import type { LocalChange } from '../changes/index.ts';
import type { WriteQueries } from '../platform/database/index.ts';
import { logChanges } from './log-changes.ts';
import type { PushManifest } from './model.ts';

/** What the log is told of pushes and deletions. */

export interface Pushed {
  readonly repositoryId: number;
  readonly isNew: boolean;
  readonly newTags: ReadonlySet<string>;
  /** The repository had no manifest before. */
  readonly isFirst: boolean;
}

/**
 * A push of a manifest that is there, and of a tag that names it already, tells of them anew: whoever pushed it may rely on it,
 * whatever was deleted elsewhere before. An index keeps its images alive in the same way.
 */
export async function logPush(
  tx: WriteQueries,
  input: PushManifest,
  { repositoryId, isNew, newTags, isFirst }: Pushed,
): Promise<void> {
  const { repository, digest, tags, mediaType, artifactType, sizeBytes } = input;
  const content = { mediaType, sizeBytes, ...(artifactType !== null && { artifactType }) };
  const children = await livingChildren(tx, repositoryId, input, isNew);
  const changes: LocalChange[] = [
    { action: 'push', repository, digest, content, isVisible: tags.length === 0 },
    ...children.map((child) => ({ action: 'renew', repository, digest: child }) as const),
    ...tags.toSorted().map((tag) => ({ action: 'tag', repository, tag, digest, content }) as const),
  ];
  const created = [...(isNew ? [digest] : []), ...newTags, ...(isFirst ? [''] : [])];
  await logChanges(tx, { ...input, changes, created });
}

const digestsPerQuery = 500;

/** An index that was there already may have outlived its images. */
async function livingChildren(
  tx: WriteQueries,
  repositoryId: number,
  { children }: PushManifest,
  isNew: boolean,
): Promise<readonly string[]> {
  const ordered = children.toSorted();
  if (isNew) return ordered;
  const living: string[] = [];
  for (let start = 0; start < ordered.length; start += digestsPerQuery) {
    const rows = await tx
      .selectFrom('manifests')
      .select('digest')
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', ordered.slice(start, start + digestsPerQuery))
      .orderBy('digest')
      .forKeyShare()
      .execute();
    living.push(...rows.map((row) => row.digest));
  }
  return living;
}

export interface DeletedManifest {
  readonly digest: string;
  readonly media_type: string;
  readonly artifact_type: string | null;
  readonly size_bytes: number;
  /** Those that went with it. */
  readonly tags: readonly { readonly name: string }[];
}

/** Clients are told of the manifest alone. `isVisible: false`: of a repository that goes as a whole. */
export function deletionOf(
  repository: string,
  { digest, media_type, artifact_type, size_bytes, tags }: DeletedManifest,
  isVisible = true,
): readonly LocalChange[] {
  const untagged = tags.map(({ name }) => ({ action: 'untag', repository, tag: name, isVisible: false }) as const);
  const content = {
    mediaType: media_type,
    sizeBytes: size_bytes,
    ...(artifact_type !== null && { artifactType: artifact_type }),
  };
  return [...untagged, { action: 'delete', repository, digest, content, isVisible, tags: tags.map(({ name }) => name) }];
}

import { type Register, isLater, isTagThere, isThere } from '../../changes/index.ts';

/**
 * A tag is shown when what it names is here, and taken off when it was deleted, or its manifest after it was tagged. In
 * between, while its manifest is on its way or was not yet told, it stays as it is.
 */
export function stateOfTag(
  tag: Register,
  manifest: Register,
  repositoryDeleted: Register['deleted'],
): 'shown' | 'waiting' | 'gone' {
  if (isTagThere(tag, manifest, repositoryDeleted)) return 'shown';
  return isThere(tag, repositoryDeleted) && isLater(tag.set, manifest.deleted) ? 'waiting' : 'gone';
}

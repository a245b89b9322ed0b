import type { Json } from '../json.ts';

/** Files that the commits of a push added, removed or changed, as GitHub, GitLab and Gitea list them. Undefined: not all of them are told. */
export function changedFilesOf(commits: Json, total: number | undefined, maxCommits: number): readonly string[] | undefined {
  const list = commits.items();
  const isWhole = commits.isList && list.length < maxCommits && (total === undefined || total <= list.length);
  if (!isWhole || list.length === 0) return undefined;
  const files = new Set<string>();
  for (const commit of list) {
    const lists = ['added', 'removed', 'modified'].map((kind) => commit.at(kind));
    if (lists.every((files_) => !files_.isList)) return undefined;
    const named = lists.flatMap((names) => names.texts());
    // GitHub names no more than so many of one commit.
    if (named.length >= 3000) return undefined;
    for (const name of named) files.add(name);
  }
  return [...files];
}

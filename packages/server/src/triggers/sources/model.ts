/** Who sent a hook, or keeps a repository. */
export type ForgeName = 'github' | 'gitlab' | 'gitea' | 'bitbucket' | 'azure' | 'generic';

export interface PushEvent {
  readonly kind: 'push';
  readonly refKind: 'branch' | 'tag';
  readonly name: string;
  /** Where it points now; null: it was deleted. */
  readonly commit: string | null;
  readonly isCreated: boolean;
  /** Commits that came with it. Undefined: it is not told. */
  readonly commitCount: number | undefined;
  /** Undefined: all of them are not told. */
  readonly changedFiles: readonly string[] | undefined;
  readonly message?: string | undefined;
}

export interface PullRequestEvent {
  readonly kind: 'pullRequest';
  readonly number: string;
  readonly targetBranch: string;
  readonly sourceBranch: string;
  /** The head of the source branch; no merge. */
  readonly commit: string;
  /** Of another repository: nobody vouches for what it does. */
  readonly isFork: boolean;
  /** What to fetch. */
  readonly ref: string;
  /** Where from, unless it is the repository itself. */
  readonly url?: string;
  readonly message?: string | undefined;
}

export type SourceEvent = PushEvent | PullRequestEvent;

/** A hook, read. */
export interface HookContent {
  /** Addresses of the repository that it is about; one of them must be the one that is watched. */
  readonly repositoryUrls: readonly string[];
  readonly defaultBranch?: string | undefined;
  /** When it was made, as signed; ms since the epoch. */
  readonly sentAt?: number | undefined;
  readonly events: readonly SourceEvent[];
  /** Why there are no events. */
  readonly reason?: string;
}

/** A request to the address of a hook. */
export interface HookRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** The ref of an event, under which its last commit is remembered. */
export function refOf(event: SourceEvent): string {
  if (event.kind === 'pullRequest') return `pull/${event.number}`;
  return `refs/${event.refKind === 'branch' ? 'heads' : 'tags'}/${event.name}`;
}

/** A full or shortened commit id. */
export function commitIn(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{7,64}$/.test(text) && !/^0+$/.test(text) ? text : undefined;
}

/** The branch or the tag of a full ref, by the rules of git that keep a name from being an option or a path elsewhere. */
export function refParts(ref: string | undefined): { readonly refKind: 'branch' | 'tag'; readonly name: string } | undefined {
  const [, kind, name = ''] = /^refs\/(heads|tags)\/(.+)$/s.exec(ref ?? '') ?? [];
  if (kind === undefined || !isRefName(name)) return undefined;
  return { refKind: kind === 'heads' ? 'branch' : 'tag', name };
}

export function isRefName(name: string): boolean {
  return name.length <= 255 && !/^[-/.]|\.\.|\/\/|\/\.|@\{|[\p{Cc} ~^:?*[\\]|[/.]$|\.lock(?:\/|$)/u.test(name) && name !== '';
}

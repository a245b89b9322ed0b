/** Where podman or buildah keep images, as their library containers/storage is told. */
export interface Storage {
  readonly driver: string;
  readonly root: string;
  readonly runRoot: string;
  /** `overlay.mount_program=/usr/bin/fuse-overlayfs` */
  readonly options: readonly string[];
}

/** What `podman info` or `buildah info` say of it. */
export interface StorageInfo {
  readonly graphDriverName?: string | undefined;
  readonly graphRoot?: string | undefined;
  readonly runRoot?: string | undefined;
  /** Podman's is a map, some of whose values are objects, buildah's a list. */
  readonly graphOptions?:
    | Readonly<Record<string, string | { readonly Executable?: string }>>
    | readonly string[]
    | null
    | undefined;
}

/** Drivers whose stores can be anywhere. */
const movable: ReadonlySet<string> = new Set(['overlay', 'vfs']);

/** Undefined where there cannot be another store beside it. */
export function storageOf({ graphDriverName, graphRoot, runRoot, graphOptions }: StorageInfo): Storage | undefined {
  if (graphDriverName === undefined || graphRoot === undefined || runRoot === undefined) return undefined;
  if (!movable.has(graphDriverName)) return undefined;
  const options = Array.isArray(graphOptions)
    ? (graphOptions as readonly string[])
    : Object.entries(graphOptions ?? {}).map(
        ([name, value]) => `${name}=${typeof value === 'string' ? value : value.Executable}`,
      );
  return { driver: graphDriverName, root: graphRoot, runRoot, options };
}

/** An image in a store: `containers-storage:[overlay@/root+/run]image` (containers-transports(5)). @param image a name, or `@` and an id */
export function imageIn({ driver, root, runRoot, options }: Storage, image: string): string {
  const more = options.length === 0 ? '' : `:${options.join(',')}`;
  return `containers-storage:[${driver}@${root}+${runRoot}${more}]${image}`;
}

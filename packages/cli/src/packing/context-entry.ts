/** One entry of an archive. */
export interface ContextEntry {
  /** With slashes, relative to the context. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly modifiedAt: Date;
  readonly content:
    | { readonly kind: 'folder' }
    | { readonly kind: 'link'; readonly target: string }
    | { readonly kind: 'file'; readonly file: string }
    /** Nowhere on the disk. */
    | { readonly kind: 'bytes'; readonly bytes: Buffer };
}

import type { FoundPackage } from './found-package.ts';
import type { SystemRelease } from './system-release.ts';

/** What the files of an image say is in it. */
export interface ImageContents {
  readonly system: SystemRelease | undefined;
  readonly packages: readonly FoundPackage[];
  /** What is in the image and could not be read, in sentences. */
  readonly gaps: readonly string[];
}

/** An image of which no list can be made; the message goes on after what was wanted. */
export class ContentsUnreadable extends Error {
  override readonly name = 'ContentsUnreadable';
}

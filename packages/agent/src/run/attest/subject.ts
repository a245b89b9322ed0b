import type { BaseImageUse } from '@berth/api';

/** The pushed manifest that a document is about. */
export interface Subject {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | null;
  /** Of the manifest. */
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** Empty: of several, an index. */
  readonly platforms: readonly string[];
}

/** The hex digits of a digest, by what made them, as documents have it. */
export function digestSet(digest: string): Readonly<Record<string, string>> {
  const [algorithm = '', hex = ''] = digest.split(':');
  return { [algorithm]: hex };
}

/** Those of the base images of a build that were used for these platforms. */
export function basesFor(platforms: readonly string[], bases: readonly BaseImageUse[]): readonly BaseImageUse[] {
  return bases.filter(({ platform }) => platform === undefined || platforms.length === 0 || platforms.includes(platform));
}

/** Where packages of a kind come from, as package URLs call it. */
export type PackageType = 'deb' | 'apk' | 'npm' | 'pypi';

/** A package that stands in a database of an image. */
export interface FoundPackage {
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
  /** As the package says it: an SPDX expression or any other words. */
  readonly licence?: string;
  readonly homepage?: string;
  /** What it was built from, where that has another name or version. */
  readonly sourceInfo?: string;
}

const maxLength = 400;

/** One line without control characters, bounded; undefined for nothing. What is in an image may be anything. */
export function plainLine(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const plain = text
    .slice(0, 4 * maxLength)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return plain === '' || plain.length > maxLength ? undefined : plain;
}

/** A homepage that SPDX takes: an address of the web. */
export function webAddress(text: unknown): string | undefined {
  const line = plainLine(text);
  if (line === undefined || !/^https?:\/\/[^\s"<>\\^`{|}]+$/i.test(line) || !URL.canParse(line)) return undefined;
  const { username, password } = new URL(line);
  return username === '' && password === '' ? line : undefined;
}

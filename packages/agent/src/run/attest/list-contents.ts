import { readApk } from './apk.ts';
import { readDpkg } from './dpkg.ts';
import type { FoundPackage } from './found-package.ts';
import { ContentsUnreadable, type ImageContents } from './image-contents.ts';
import { readNpm, readPython } from './language-packages.ts';
import { packageUrl } from './package-url.ts';
import type { TellingFile } from './read-file-tree.ts';
import { readSystemRelease } from './system-release.ts';

const maxPackages = 50_000;
const namedPaths = 20;

/** Each package once, in the order of their package URLs. @throws ContentsUnreadable */
export function listContents(files: readonly TellingFile[]): ImageContents {
  const releases = files.flatMap(({ kind, text }) => (kind === 'system' && text !== undefined ? [text] : []));
  const system = releases.map(readSystemRelease).find((each) => each !== undefined);
  const packages = new Map<string, FoundPackage>();
  const unread: TellingFile[] = [];
  for (const file of files) {
    let isRead = file.kind === 'system';
    for (const found of packagesOf(file)) {
      isRead = true;
      packages.set(packageUrl(found, system), found);
      if (packages.size > maxPackages) throw new ContentsUnreadable(`it holds more than ${maxPackages} packages`);
    }
    // A database may be empty; a description of one package may not.
    const isEmpty = file.text?.trim() === '' && (file.kind === 'dpkg' || file.kind === 'apk');
    if (!isRead && !isEmpty) unread.push(file);
  }
  const urls = [...packages.keys()].toSorted();
  return { system, packages: urls.flatMap((url) => packages.get(url) ?? []), gaps: gapsOf(unread) };
}

function* packagesOf({ kind, text }: TellingFile): Generator<FoundPackage> {
  if (text === undefined) return;
  if (kind === 'dpkg') yield* readDpkg(text);
  if (kind === 'apk') yield* readApk(text);
  const found = kind === 'npm' ? readNpm(text) : kind === 'python' ? readPython(text) : undefined;
  if (found !== undefined) yield found;
}

function gapsOf(unread: readonly TellingFile[]): readonly string[] {
  const rpm = unread.filter(({ kind }) => kind === 'rpm');
  // Folders in node_modules may have descriptions of parts, which are no packages.
  const others = unread.filter(({ kind }) => kind !== 'rpm' && kind !== 'npm');
  const gaps: string[] = [];
  if (rpm.length > 0) gaps.push(`The packages of rpm are not listed, because its database is not read: ${pathsOf(rpm)}.`);
  if (others.length > 0) gaps.push(`Not read, being links or without a package that is installed: ${pathsOf(others)}.`);
  return gaps;
}

function pathsOf(files: readonly TellingFile[]): string {
  const paths = files.map(({ path }) => path.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '?').slice(0, 300)).toSorted();
  const more = paths.length > namedPaths ? ` and ${paths.length - namedPaths} more` : '';
  return `${paths.slice(0, namedPaths).join(', ')}${more}`;
}

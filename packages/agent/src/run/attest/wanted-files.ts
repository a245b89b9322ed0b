/** What a file of an image tells. */
export type FileKind = 'system' | 'dpkg' | 'apk' | 'npm' | 'python' | 'rpm';

const wanted: readonly (readonly [FileKind, RegExp])[] = [
  ['system', /^(?:etc|usr\/lib)\/os-release$/],
  ['dpkg', /^var\/lib\/dpkg\/(?:status|status\.d\/[^/]+(?<!\.md5sums))$/],
  ['apk', /^(?:usr\/)?lib\/apk\/db\/installed$/],
  ['rpm', /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm)\/(?:Packages|Packages\.db|rpmdb\.sqlite)$/],
  ['npm', /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/],
  ['python', /(?:^|\/)(?:[^/]+\.dist-info\/METADATA|[^/]+\.egg-info\/PKG-INFO)$/],
];

/** Undefined for a file that tells nothing of packages. `path`: from the image's root, without a slash before it. */
export function kindOf(path: string): FileKind | undefined {
  return wanted.find(([, pattern]) => pattern.test(path))?.[0];
}

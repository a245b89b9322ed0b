import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readApk } from './apk.ts';
import { DeclaredLicences } from './declared-licences.ts';
import { readDpkg } from './dpkg.ts';
import { readNpm, readPython } from './language-packages.ts';
import { imageUrl, packageUrl } from './package-url.ts';
import { readSystemRelease } from './system-release.ts';

const dpkg = `Package: base-files
Status: install ok installed
Maintainer: Somebody <somebody@example.org>
Architecture: amd64
Version: 12.4+deb12u5
Description: Debian base system miscellaneous files
 Package: not-a-package
 .
 Version: 9

Package: libgcc-s1
Status: install ok installed
Architecture: amd64
Source: gcc-12 (12.2.0-14)
Version: 1:12.2.0-14~bpo
Homepage: http://gcc.gnu.org/

Package: gone
Status: deinstall ok config-files
Version: 1

Package: half
Status: install ok half-configured
Version: 1
`;

test('dpkg: what is installed, and what it was built from', () => {
  assert.deepEqual(
    [...readDpkg(dpkg)],
    [
      { type: 'deb', name: 'base-files', version: '12.4+deb12u5', architecture: 'amd64' },
      {
        type: 'deb',
        name: 'libgcc-s1',
        version: '1:12.2.0-14~bpo',
        architecture: 'amd64',
        homepage: 'http://gcc.gnu.org/',
        sourceInfo: 'built from the source package gcc-12 (12.2.0-14)',
      },
    ],
  );
  const single = 'Package: tzdata\r\nVersion: 2024a-0\r\nArchitecture: all';
  assert.deepEqual([...readDpkg(single)], [{ type: 'deb', name: 'tzdata', version: '2024a-0', architecture: 'all' }], 'status.d');
});

const apk = `C:Q1bF8Hp5J3bKTqEtrcKjX2B5GZ0l4=
P:musl
V:1.2.5-r0
A:x86_64
S:407278
T:the musl c library (libc) implementation
U:https://musl.libc.org/
L:MIT
o:musl
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1aaa

P:ssl_client
V:1.36.1-r29
A:x86_64
L:GPL2
o:busybox
`;

test('apk: letters differ by their case, lines of files are no packages', () => {
  const common = { type: 'apk', architecture: 'x86_64' };
  assert.deepEqual(
    [...readApk(apk)],
    [
      { ...common, name: 'musl', version: '1.2.5-r0', licence: 'MIT', homepage: 'https://musl.libc.org/' },
      {
        ...common,
        name: 'ssl_client',
        version: '1.36.1-r29',
        licence: 'GPL2',
        sourceInfo: 'built from the source package busybox',
      },
    ],
  );
});

test('packages of languages', () => {
  assert.deepEqual(readNpm('{"name":"@a/b","version":"1.0.0","license":{"type":"ISC"},"homepage":"https://u:p@x/"}'), {
    type: 'npm',
    name: '@a/b',
    version: '1.0.0',
    licence: 'ISC',
  });
  for (const text of ['{"type":"module"}', '[]', 'null', '{', '{"name":"a b","version":"1"}', '{"name":1,"version":"1"}'])
    assert.equal(readNpm(text), undefined, text);
  const metadata =
    'Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 6.0\nLicense: UNKNOWN\nHome-page: https://example.org/\n\nName: other\n';
  assert.deepEqual(readPython(metadata), {
    type: 'pypi',
    name: 'Zope.Interface',
    version: '6.0',
    homepage: 'https://example.org/',
  });
  assert.equal(readPython('Name: ../x\nVersion: 1\n'), undefined);
});

test('os-release, with and without quotes', () => {
  assert.deepEqual(readSystemRelease('NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n'), {
    id: 'debian',
    versionId: '12',
  });
  assert.equal(readSystemRelease('ID="a b"\n'), undefined);
  assert.equal(readSystemRelease(''), undefined);
});

test('package URLs', () => {
  const debian = { id: 'debian', versionId: '12' };
  const urls = [
    packageUrl({ type: 'deb', name: 'libstdc++6', version: '1:12.2.0-14~a', architecture: 'amd64' }, debian),
    packageUrl({ type: 'apk', name: 'musl', version: '1.2.5-r0' }, undefined),
    packageUrl({ type: 'npm', name: '@a/b', version: '1.0.0+x' }, debian),
    packageUrl({ type: 'pypi', name: 'Zope.Interface', version: '6.0' }, debian),
    imageUrl({ registry: 'r.example:5000', repository: 'a/b', tag: 'v1', digest: 'sha256:00', platform: 'linux/arm64' }),
  ];
  assert.deepEqual(urls, [
    'pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14~a?arch=amd64&distro=debian-12',
    'pkg:apk/alpine/musl@1.2.5-r0',
    'pkg:npm/%40a/b@1.0.0%2Bx',
    'pkg:pypi/zope-interface@6.0',
    'pkg:oci/b@sha256:00?arch=arm64&repository_url=r.example:5000%2Fa%2Fb&tag=v1',
  ]);
});

test('licences are SPDX expressions, or quoted', () => {
  const licences = new DeclaredLicences();
  const valid = [
    'MIT',
    'MIT AND (GPL-2.0-only OR BSD-3-Clause)',
    '(MIT)',
    'GPL-2.0-or-later WITH Classpath-exception-2.0 AND ISC',
    'Apache-2.0+',
  ];
  for (const text of valid) assert.equal(licences.expressionOf(text), text);
  assert.deepEqual(licences.quoted, []);
  const invalid = ['GPL2', 'MIT BSD', 'MIT AND', '(MIT', 'MIT)', '()', 'MIT WITH MIT', 'mit', '(MIT) WITH LLVM-exception', 'AND'];
  for (const text of invalid) assert.match(licences.expressionOf(text), /^LicenseRef-[0-9a-f]{16}$/, text);
  assert.deepEqual(
    licences.quoted.map(({ extractedText }) => extractedText),
    invalid,
  );
  assert.equal(licences.expressionOf(undefined), 'NOASSERTION');
});

test('whatever a database holds, names are lines without control characters', () => {
  const seed = Date.now() % 2 ** 31;
  const part = fc.oneof(fc.constantFrom('Package: a', 'Version: 1', 'P:b', 'V:2', '\n', '\r', '\u0000', ':'), fc.string());
  const property = fc.property(fc.array(part), (parts) => {
    const text = parts.join('\n');
    for (const { name, version } of [...readDpkg(text), ...readApk(text)])
      for (const each of [name, version]) {
        assert.match(each, /^[^\p{Cc}\p{Cs}]{1,400}$/u);
        assert.equal(each, each.trim());
      }
  });
  fc.assert(property, { seed });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunSource } from '@berth/api';
import { parseSourceLocation } from './source-location.ts';

const git = (url: string, more: object = {}): RunSource => ({ kind: 'git', url, ...more });

const cases: readonly (readonly [text: string, source: RunSource | undefined, token?: string])[] = [
  ['', undefined],
  ['/dev/null', undefined],
  ['source/abc-DEF_1', { kind: 'upload', id: 'abc-DEF_1' }],
  ['oci://registry.example/team/context:v1', { kind: 'oci', reference: 'registry.example/team/context:v1' }],
  ['https://host.example/a/b.git', git('https://host.example/a/b.git')],
  ['https://host.example/a/b.git#main', git('https://host.example/a/b.git', { ref: 'main' })],
  ['https://host.example/a/b.git#main:sub/folder', git('https://host.example/a/b.git', { ref: 'main', folder: 'sub/folder' })],
  ['https://host.example/a/b.git#:sub', git('https://host.example/a/b.git', { folder: 'sub' })],
  ['https://host.example/a/b.git#pull/7/head', git('https://host.example/a/b.git', { ref: 'pull/7/head' })],
  ['https://host.example/a/b#main', git('https://host.example/a/b', { ref: 'main' })],
  ['https://github.com/a/b', git('https://github.com/a/b')],
  ['https://dev.azure.com/org/project/_git/repo', git('https://dev.azure.com/org/project/_git/repo')],
  ['https://org.visualstudio.com/project/_git/repo', git('https://org.visualstudio.com/project/_git/repo')],
  ['git@host.example:a/b.git#main', git('git@host.example:a/b.git', { ref: 'main' })],
  ['git://host.example/a/b.git', git('git://host.example/a/b.git')],
  ['ssh://git@host.example/a/b.git', git('ssh://git@host.example/a/b.git')],
  ['https://host.example/files.tar.gz?x=1', { kind: 'archive', url: 'https://host.example/files.tar.gz?x=1' }],
  ['https://github.com/a/b/archive/main.tar.gz', { kind: 'archive', url: 'https://github.com/a/b/archive/main.tar.gz' }],
  ['https://pat@host.example/a/b.git#main', git('https://host.example/a/b.git', { ref: 'main' }), 'pat'],
  ['https://me:p%40t@host.example/a/b.git', git('https://host.example/a/b.git'), 'p@t'],
];
for (const [text, source, token] of cases) {
  test(`a context ${JSON.stringify(text)}`, () => {
    const found = parseSourceLocation(text, 'x');
    assert.deepEqual([found.source, found.token], [source, token]);
    if (token !== undefined) assert.doesNotMatch(found.text, /pat|p%40t/);
  });
}

for (const text of [
  'ext::sh -c touch% /tmp/x',
  'file:///etc/passwd',
  'source/../x',
  './folder',
  'app',
  '--upload-pack=x',
  'gopher://x/',
])
  test(`attack 28: ${text} is no context`, () => {
    assert.throws(
      () => parseSourceLocation(text, 'properties.step.contextPath'),
      /^RegistryError: properties\.step\.contextPath must be/,
    );
  });

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../errors/index.ts';
import { testRegistry } from '../tenancy/test-registry.ts';
import type { ImportInput } from './model.ts';
import { parseImport } from './parse-import.ts';

const digest = `sha256:${'a'.repeat(64)}`;

function input(changes: Partial<ImportInput> = {}): ImportInput {
  return {
    registry: testRegistry(),
    principalId: 'admin:local',
    clientAddress: '127.0.0.1',
    source: { registryUri: 'registry.example.com' },
    sourceImage: 'app:v1',
    targetTags: ['app:v1'],
    untaggedTargetRepositories: [],
    mode: 'NoForce',
    ...changes,
  };
}

function uri(registryUri: string, sourceImage = 'app:v1'): { readonly origin: string; readonly repository: string } {
  const { from, repository } = parseImport(input({ source: { registryUri }, sourceImage }));
  assert.ok('address' in from);
  return { origin: from.address.origin, repository };
}

test('a registry is where people say it is', () => {
  const table: readonly (readonly [string, string])[] = [
    ['registry.example.com', 'https://registry.example.com'],
    ['Registry.Example.com:5000/', 'https://registry.example.com:5000'],
    ['http://registry.example.com', 'http://registry.example.com'],
    ['https://localhost:5000', 'https://localhost:5000'],
    ['localhost:5000', 'http://localhost:5000'],
    ['my.localhost:5000', 'http://my.localhost:5000'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000'],
    ['[::1]:5000', 'http://[::1]:5000'],
    ['notlocalhost', 'https://notlocalhost'],
    ['docker.io', 'https://registry-1.docker.io'],
    ['https://index.docker.io/', 'https://registry-1.docker.io'],
  ];
  for (const [text, origin] of table) assert.equal(uri(text).origin, origin, text);
  assert.equal(uri('docker.io', 'ubuntu:24.04').repository, 'library/ubuntu');
  assert.equal(uri('docker.io', 'grafana/grafana').repository, 'grafana/grafana');
  assert.equal(uri('ghcr.io', 'ubuntu').repository, 'ubuntu');
});

test('what an image is called, and where it goes', () => {
  const reference = (sourceImage: string): string => parseImport(input({ sourceImage })).reference;
  assert.equal(reference('app'), 'latest');
  assert.equal(reference('team/app:v1'), 'v1');
  assert.equal(reference(`app@${digest}`), digest);
  assert.equal(reference(`app:v1@${digest}`), digest);
  const { targets } = parseImport(
    input({ sourceImage: 'app:v7', targetTags: ['a:x', 'b', 'a:y', 'a:x'], untaggedTargetRepositories: ['b', 'c'] }),
  );
  assert.deepEqual(targets, [
    { repository: 'a', tags: ['x', 'y'] },
    { repository: 'b', tags: ['v7'] },
    { repository: 'c', tags: [] },
  ]);
});

test('what is wrong is named', () => {
  const table: readonly (readonly [string, Partial<ImportInput>])[] = [
    ['mode', { mode: 'force' }],
    ...['', 'a b', 'ftp://x', 'http://u:p@x', 'x/y', 'https://x/?a', 'x:99999999', 'x:99999', '-x', 'http://', 'x\r\ny'].map(
      (registryUri) => ['source.registryUri', { source: { registryUri } }] as const,
    ),
    ['source.credentials', { source: { registryUri: 'x', credentials: { username: 'a:b', password: 'c' } } }],
    ['source.credentials', { source: { registryUri: 'x', credentials: { password: 'c'.repeat(40_000) } } }],
    ...[
      '',
      ':v1',
      'A:v1',
      'app:',
      'app:v 1',
      'app@sha256:1',
      'host:5000/app:v1',
      `app@${digest}@${digest}`,
      '../x:y',
      'app:v1\r\n',
    ].map((sourceImage) => ['source.sourceImage', { sourceImage }] as const),
    ...['', 'App:v1', 'app:v 1', `app@${digest}`, 'a:b:c'].map((target) => ['targetTags', { targetTags: [target] }] as const),
    ['targetTags', { targetTags: [] }],
    ['targetTags', { targetTags: Array.from({ length: 51 }, (_, number) => `app:${number}`) }],
    ['untaggedTargetRepositories', { untaggedTargetRepositories: ['app:v1'] }],
  ];
  for (const [target, changes] of table) {
    assert.throws(
      () => parseImport(input(changes)),
      (error) => error instanceof RegistryError && error.error === 'INVALID_PARAMETER' && error.target === target,
      JSON.stringify(changes),
    );
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findBreaches } from './dependency-law.ts';
import { importsOf } from './import-graph.ts';

const server = 'packages/server/src';

/** The breaches of a small graph of the server's files, written without their common beginning. */
function breachesOf(files: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const inServer = (path: string): string => (path.endsWith('.ts') && !path.startsWith('packages/') ? `${server}/${path}` : path);
  return findBreaches(new Map(Object.entries(files).map(([file, targets]) => [inServer(file), targets.map(inServer)])));
}

describe('the dependency law', () => {
  test('prints the chain of imports from the entry to the offender', () => {
    const breaches = breachesOf({
      'main.ts': ['assemble.ts'],
      'assemble.ts': ['platform/clock.ts'],
      'platform/clock.ts': ['catalog/index.ts'],
      'catalog/index.ts': [],
    });
    const chain = ['main.ts', 'assemble.ts', 'platform/clock.ts', 'catalog/index.ts'].map((path) => `${server}/${path}`);
    assert.deepEqual(breaches, [`platform does not import catalog\n  ${chain.join('\n  → ')}`]);
  });

  const forbidden: readonly (readonly [file: string, target: string, reason: RegExp])[] = [
    ['packages/oci/src/digest.ts', 'packages/api/src/index.ts', /oci does not import api/],
    ['packages/cli/src/main.ts', 'packages/server/src/main.ts', /cli does not import server/],
    ['assemble.ts', 'packages/testkit/src/index.ts', /server does not import testkit/],
    ['platform/clock.ts', 'catalog/index.ts', /platform does not import catalog/],
    ['http/server.ts', 'blobs/index.ts', /http does not import blobs/],
    ['errors/index.ts', 'platform/clock.ts', /errors does not import platform/],
    ['blobs/index.ts', 'http/server.ts', /only routes\.ts imports http/],
    ['blobs/push.ts', 'http/route.ts', /only routes\.ts imports http/],
    ['blobs/push.ts', 'catalog/index.ts', /blobs does not import the feature catalog/],
    ['catalog/push.ts', 'blobs/queries.ts', /through its index\.ts/],
    ['assemble.ts', 'blobs/queries.ts', /through its index\.ts/],
    ['blobs/push.ts', 'assemble.ts', /does not import what assembles/],
    ['blobs/push.ts', 'fastify', /only packages\/server\/src\/http\/ imports fastify/],
    ['blobs/push.ts', '@fastify/swagger', /only packages\/server\/src\/http\//],
    ['blobs/push.ts', 'pg', /only packages\/server\/src\/platform\/database\/ imports pg/],
    ['platform/keys/ring.ts', 'node:sqlite', /platform\/database\/ imports node:sqlite/],
    ['packages/cli/src/main.ts', '@berth/api/none', /no entry of a package/],
  ];
  for (const [file, target, reason] of forbidden) {
    test(`refuses ${file} → ${target}`, () => {
      const [breach = ''] = breachesOf({ [file]: [target] });
      assert.match(breach, reason);
    });
  }

  test('allows what the plan allows', () => {
    const allowed = {
      'main.ts': ['assemble.ts', 'settings/index.ts'],
      'assemble.ts': ['catalog/index.ts', 'http/server.ts', 'platform/clock.ts'],
      'transactions.ts': ['catalog/transactions.ts'],
      'catalog/index.ts': [
        'catalog/routes.ts',
        'blobs/index.ts',
        'repositories/index.ts',
        'errors/index.ts',
        'packages/oci/src/index.ts',
      ],
      'catalog/routes.ts': ['http/route.ts', 'packages/api/src/index.ts'],
      'catalog/transactions.ts': ['platform/clock.ts', 'kysely'],
      'http/server.ts': ['fastify', 'errors/index.ts'],
      'platform/database/open.ts': ['pg', 'node:sqlite'],
      'packages/testkit/src/index.ts': ['packages/server/src/assemble.ts'],
    };
    assert.deepEqual(breachesOf(allowed), []);
  });

  test('finds cycles, and names of folders that say nothing', () => {
    const [cycle] = breachesOf({ 'blobs/a.ts': ['blobs/b.ts'], 'blobs/b.ts': ['blobs/c.ts'], 'blobs/c.ts': ['blobs/a.ts'] });
    assert.match(cycle ?? '', /import cycle\n.*a\.ts\n.*b\.ts\n.*c\.ts\n.*a\.ts$/);
    for (const path of ['blobs/utils/text.ts', 'helpers.ts', 'lib/x.ts', 'common/x.ts', 'misc/x.ts']) {
      assert.match(breachesOf({ [path]: [] })[0] ?? '', /name it after what it does/);
    }
  });

  test('reads every kind of import', () => {
    const source = [
      `import { a } from './a.ts';`,
      `import type { B } from './b.ts';`,
      `import {\n  c,\n  d,\n} from './c.ts';`,
      `export * from './d.ts';`,
      `export { type E } from './e.ts';`,
      `import './f.ts';`,
      `const g = await import('./g.ts');`,
      `new Worker(new URL('./h.ts', import.meta.url));`,
      ` * import { no } from './comment.ts';`,
    ].join('\n');
    assert.deepEqual(
      importsOf(source).toSorted(),
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `./${name}.ts`),
    );
  });
});

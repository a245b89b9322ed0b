/**
 * `npm test [-- options] [files or globs]`: runs every suite on Node's own test runner.
 *
 * `--all` adds the long suites (files named `*.long.test.ts`, and `BERTH_LONG=1` for those that only grow).
 * `--coverage` measures lines and fails under the bounds below. One PostgreSQL server is started for all test processes
 * where its programs are installed. `BERTH_REQUIRE=postgres,docker,…` says what must be there: then a skip is a failure.
 */
import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { findPostgresPrograms, startPostgresCluster } from '../packages/testkit/src/postgres-cluster.ts';
import { coverageShortfalls } from './coverage.ts';
import { root } from './workspace.ts';

const suites = ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts', 'tools/**/*.test.ts'];

const { values, positionals } = parseArgs({
  options: { all: { type: 'boolean', default: false }, coverage: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const isNamed = positionals.length > 0;
const files = globSync(isNamed ? positionals : suites, { cwd: root, exclude: ['**/node_modules/**', '**/dist/**'] })
  .filter((file) => isNamed || values.all || !file.endsWith('.long.test.ts'))
  .toSorted();
if (files.length === 0) throw new Error(`no test file matches ${positionals.join(' ')}`);

const required = (process.env['BERTH_REQUIRE'] ?? '').split(',').filter((name) => name !== '');
if (values.all) process.env['BERTH_LONG'] = '1';
// Servers of tests start no agents of their own; tests start those that they want.
process.env['BERTH_AGENT'] = 'off';
if (required.includes('postgres')) process.env['BERTH_REQUIRE_POSTGRES'] = '1';

// Hundreds of processes and thousands of threads load the same files. Not for coverage: it is less exact of code that was kept.
const keptCode = values.coverage ? undefined : await mkdtemp(join(tmpdir(), 'berth-code-'));
if (keptCode !== undefined) process.env['NODE_COMPILE_CACHE'] ??= keptCode;

const programs = findPostgresPrograms();
const needsCluster = process.env['BERTH_TEST_POSTGRES_URL'] === undefined && programs !== undefined;
const cluster = needsCluster ? await startPostgresCluster(programs) : undefined;
if (cluster !== undefined) process.env['BERTH_TEST_POSTGRES_URL'] = cluster.url;

const skips: string[] = [];
const problems: string[] = [];
const counts = { passed: 0, failed: 0 };

const stream = run({
  cwd: root,
  files: files.map((file) => `${root}/${file}`),
  execArgv: ['--conditions=source', ...(process.execArgv.includes('--no-warnings') ? ['--no-warnings'] : [])],
  concurrency: Math.min(4, availableParallelism()),
  timeout: (values.all ? 60 : 15) * 60_000,
  coverage: values.coverage,
  coverageIncludeGlobs: ['packages/*/src/**/*.ts'],
  coverageExcludeGlobs: ['**/*.test.ts', 'packages/testkit/**'],
});
stream.on('test:pass', (event) => {
  if (event.skip === undefined) return;
  const reason = typeof event.skip === 'string' ? `: ${event.skip}` : '';
  skips.push(`${relative(root, event.file ?? '')} > ${event.name}${reason}`);
});
stream.on('test:summary', (event) => {
  if (event.file !== undefined) return;
  const { tests, passed, skipped, todo } = event.counts;
  counts.passed = passed;
  // A suite or file that breaks outside of its tests fails the run without counting as a test.
  counts.failed = Math.max(tests - passed - skipped - todo, event.success ? 0 : 1);
});
stream.on('test:coverage', (event) => problems.push(...coverageShortfalls(event.summary.files)));
for await (const text of stream.compose(new spec())) process.stdout.write(text);
await cluster?.stop();
if (keptCode !== undefined) await rm(keptCode, { recursive: true, force: true });

if (skips.length > 0) console.log(`skipped:\n  ${skips.join('\n  ')}`);
if (required.length > 0 && skips.length > 0)
  problems.push(`${skips.length} tests were skipped, and BERTH_REQUIRE says that nothing may be`);
for (const problem of problems) console.error(`FAILED ${problem}`);
console.log(`${counts.passed} passed, ${counts.failed} failed${skips.length > 0 ? `, ${skips.length} skipped` : ''}`);
process.exitCode = counts.failed > 0 || counts.passed === 0 || problems.length > 0 ? 1 : 0;

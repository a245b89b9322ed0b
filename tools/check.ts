/**
 * `npm run check`: types, lint, format, unused code. Runs all four even when one fails, so that one round shows all there
 * is to mend. Exit code 1 when any of them found something.
 */
import { spawnSync } from 'node:child_process';
import { root } from './workspace.ts';

const checks = [
  { name: 'types', command: ['tsc', '--noEmit', '--project', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives'] },
  { name: 'format', command: ['biome', 'format', '--max-diagnostics=20', '.'] },
  { name: 'unused code', command: ['knip', '--no-progress'] },
] as const;

const failed: string[] = [];
for (const { name, command } of checks) {
  const started = performance.now();
  const [program, ...options] = command;
  const result = spawnSync(`${root}/node_modules/.bin/${program}`, options, { cwd: root, stdio: 'inherit' });
  if (result.error !== undefined) console.error(`${program} did not start: ${result.error.message}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${result.status === 0 ? 'ok    ' : 'FAILED'} ${name} (${program}, ${seconds} s)`);
  if (result.status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@berth/testkit';
import { findProgram, isRequired, runProgram } from '../clients/client-program.ts';

const program = findProgram('conformance');
const skip = program === undefined && !isRequired('conformance') ? 'the program "conformance" is not installed' : false;

/** How many checks of the suite ended so, by its own count. */
function countOf(report: string, outcome: string): number {
  return Number(new RegExp(`^ +${outcome}\\.+: +(\\d+)$`, 'm').exec(report)?.[1]);
}

// go install github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111
for (const version of ['1.1', 'dev']) {
  for (const isTokenKept of [true, false]) {
    test(`the public conformance suite at ${version}, ${isTokenKept ? 'keeping' : 'asking anew for'} tokens`, {
      skip,
    }, async (t) => {
      assert.ok(program !== undefined, 'BERTH_REQUIRE names conformance, and it is not installed');
      const folder = await mkdtemp(join(tmpdir(), 'berth-conformance-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const registry = await startRegistry();
      t.after(() => registry.stop());
      const env = {
        OCI_REGISTRY: registry.host,
        OCI_TLS: 'disabled',
        OCI_REPO1: 'conformance/one',
        OCI_REPO2: 'conformance/two',
        OCI_USERNAME: registry.username,
        OCI_PASSWORD: registry.password,
        OCI_VERSION: version,
        OCI_CACHE_AUTH: String(isTokenKept),
        OCI_RESULTS_DIR: join(folder, 'results'),
      };
      const { stdout } = await runProgram(program, [], { cwd: folder, env });
      const failed = stdout.split('\n').filter((line) => /: (FAIL|Error)$/.test(line));
      assert.deepEqual([failed, countOf(stdout, 'FAIL'), countOf(stdout, 'Error')], [[], 0, 0]);
      assert.ok(countOf(stdout, 'Pass') > 800, stdout.slice(-5000));
      // A mount from anywhere finds nothing with a token that was made for one repository alone (attack 15).
      const skipped = stdout.split('\n').filter((line) => line.endsWith(': Skip'));
      assert.ok(
        skipped.every((line) => line.includes('mount anonymous')),
        skipped.join('\n'),
      );
      if (isTokenKept) assert.deepEqual(skipped, []);
    });
  }
}

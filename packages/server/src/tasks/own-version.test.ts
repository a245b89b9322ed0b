import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withOwnVersion } from './own-version.ts';

const preamble = 'version: v1.1.0\n';
const steps = 'steps:\n  - cmd: tool\n';

test("a task file's own version counts, not the one that az puts before it", () => {
  for (const file of [`version: v1.0.0\n${steps}`, `# builds\n${steps}version : v1.0.0\n`, preamble + steps])
    assert.equal(withOwnVersion(preamble + file), file);
});

test('a task file without a version of its own keeps the one that az gave it', () => {
  for (const file of [preamble + steps, `${preamble}steps:\n  - cmd: tool\n    env: ["version: 1"]\n`, steps, ''])
    assert.equal(withOwnVersion(file), file);
});

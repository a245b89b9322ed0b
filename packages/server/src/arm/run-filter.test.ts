import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RegistryError } from '../errors/index.ts';
import type { RunFacts } from '../runs/index.ts';
import { parseRunFilter } from './run-filter.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const run: RunFacts = {
  rowId: 1,
  registryId: 1,
  id: 'ca1',
  status: 'Succeeded',
  runType: 'QuickBuild',
  task: 'nightly',
  trigger: null,
  requestedBy: 'somebody',
  platform: { os: 'Linux', architecture: 'amd64' },
  agentPool: 'fast',
  images: [{ registry: 'local.example', repository: 'team/app', tag: 'v1', digest }],
  dependencies: [],
  createdAt: Date.parse('2030-01-31T12:00:00Z'),
  startedAt: null,
  finishedAt: null,
  updatedAt: 0,
  timeoutSeconds: 3600,
  error: null,
  isArchived: true,
  updateToken: null,
  logBytes: 0,
  logRecords: 0,
};

const conditions: readonly (readonly [string, boolean, object?])[] = [
  ['', true, {}],
  ["TaskName eq 'nightly'", true, { task: 'nightly' }],
  ["taskname eq 'other'", false, { task: 'other' }],
  ["Status eq 'succeeded' and TaskName eq 'nightly'", true, { statuses: ['Succeeded'], task: 'nightly' }],
  ["Status eq 'Failed' or TaskName eq 'nightly'", true, {}],
  ["(Status eq 'Failed' or Status eq 'Canceled') and RunType eq 'QuickBuild'", false, { runType: 'QuickBuild' }],
  ["RunId eq 'CA1'", true, { runId: 'ca1' }],
  ["AgentPoolName ne 'fast'", false, {}],
  ['IsArchiveEnabled eq true', true, { isArchived: true }],
  ["createTime ge '2030-01-31T12:00:00Z'", true, { createdFrom: run.createdAt }],
  ['createTime gt 2030-01-31T12:00:00Z', false, { createdFrom: run.createdAt }],
  ["createTime le datetime'2030-01-31'", false, { createdTo: Date.parse('2030-01-31') }],
  ["finishTime lt '2031-01-01T00:00:00Z'", false, { finishedTo: Date.parse('2031-01-01') }],
  ["finishTime ne '2031-01-01T00:00:00Z'", true, {}],
  [`contains(OutputImageManifests, 'team/app@${digest}')`, true, { image: digest }],
  [`contains(OutputImageManifests,'team/other@${digest}')`, false, { image: digest }],
  ["contains(outputImageManifests, 'team/')", true, {}],
  ["contains(TaskName, 'night')", true, {}],
  ["TaskName eq 'it''s'", false, { task: "it's" }],
];

for (const [filter, holds, narrowed] of conditions) {
  test(`a filter: ${filter === '' ? 'none' : filter}`, () => {
    const condition = parseRunFilter(filter);
    assert.deepEqual([condition.holds(run), condition.narrowed], [holds, narrowed]);
  });
}

const wrong: readonly (readonly [string, number])[] = [
  ['TaskName', 9],
  ["TaskName is 'x'", 10],
  ['TaskName eq x', 13],
  ["Status eq 'Sleeping'", 11],
  ["__proto__ eq 'x'", 1],
  ["constructor eq 'x'", 1],
  ["createTime gt 'yesterday'", 15],
  ['isArchiveEnabled eq 1', 21],
  ["TaskName eq 'x' TaskName eq 'y'", 17],
  ["(TaskName eq 'x'", 17],
  ["contains(Something, 'x')", 10],
  ["TaskName eq 'x", 13],
  ['§', 1],
];

for (const [filter, position] of wrong) {
  test(`a filter that is refused at its place: ${filter}`, () => {
    assert.throws(() => parseRunFilter(filter), { error: 'INVALID_PARAMETER', message: new RegExp(`character ${position}:`) });
  });
}

test('attack 43: brackets and length have an end', () => {
  assert.throws(() => parseRunFilter('('.repeat(4000)), /brackets/);
  assert.throws(() => parseRunFilter("TaskName eq 'x' or ".repeat(1000)), /longer than/);
});

test('property: a filter is read or refused, never more', () => {
  const piece = fc.constantFrom('(', ')', 'and', 'or', 'eq', 'TaskName', "'x'", 'contains', ',', 'true', '2030-01-01', '%');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        parseRunFilter(pieces.join(' ')).holds(run);
      } catch (error) {
        assert.ok(error instanceof RegistryError && error.error === 'INVALID_PARAMETER');
      }
    }),
    { numRuns: 2000 },
  );
});

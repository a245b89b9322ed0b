import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ContainerRegistryManagementClient, type EncodedTaskStep } from '@azure/arm-containerregistry-tasks';
import { all, refusal, useSdkTarget } from './azure-sdk-target.ts';
import { type StartedAgent, startPlayedAgent } from './played-agent.ts';

/** The management client of tasks, unmodified, and the blobs that it leads to. */
const target = useSdkTarget();
const group = 'berth';
const inLocal = [group, 'local'] as const;
const platform = { os: 'Linux', architecture: 'amd64' } as const;
const taskFile = Buffer.from('version: v1.1.0\nsteps:\n  - cmd: tool {{.Values.color}}\n').toString('base64');
let client: ContainerRegistryManagementClient;
let agent: StartedAgent | undefined;

test('the client signs in, and an agent waits for runs', async () => {
  const { registry, credential, owner } = target();
  client = new ContainerRegistryManagementClient(credential(), owner.subscriptionId, { endpoint: registry.url });
  const authorityFile = join(registry.dataDir, 'tls', 'authority.pem');
  const { username, password, url: origin } = registry;
  agent = await startPlayedAgent({ origin, username, password, authorityFile }, ({ assignment: { work } }) => ({
    lines: ['one', 'two'],
    outcome: work.kind === 'build' && work.target === 'broken' ? 'Failed' : 'Succeeded',
  }));
  assert.deepEqual(await all(client.runs.list(...inLocal)), []);
});
after(() => agent?.[Symbol.asyncDispose]());

/** Asks until the run has ended; each answer of the log says whether it has. */
async function logOf(runId: string): Promise<{ readonly text: string; readonly outcome: string }> {
  const { logLink = '' } = await client.runs.getLogSasUrl(...inLocal, runId);
  for (;;) {
    const answer = await fetch(logLink);
    const outcome = answer.headers.get('x-ms-meta-complete');
    const text = await answer.text();
    if (outcome !== null) return { text, outcome };
    assert.ok(answer.status === 200 || answer.headers.get('x-ms-error-code') === 'BlobNotFound', text);
  }
}

const schedule = (target?: string) =>
  client.registries.beginScheduleRunAndWait(...inLocal, {
    type: 'DockerBuildRequest',
    imageNames: ['team/app:v1'],
    isPushEnabled: false,
    dockerFilePath: 'Dockerfile',
    sourceLocation: 'https://example.invalid/team/app.git#main:folder',
    platform,
    ...(target !== undefined && { target }),
  });

test('a run is queued, shown, listed by filters, archived, and its log says how it ended', async () => {
  const queued = await schedule();
  const runId = queued.runId ?? '';
  assert.deepEqual([queued.name, queued.runType, queued.platform?.os], [runId, 'QuickBuild', 'Linux']);
  assert.deepEqual(await logOf(runId), { text: 'one\r\ntwo\r\n', outcome: 'successful' });
  const broken = (await schedule('broken')).runId ?? '';
  assert.equal((await logOf(broken)).outcome, 'failed');

  const shown = await client.runs.get(...inLocal, runId);
  assert.equal(shown.status, 'Succeeded');
  assert.ok(shown.createTime instanceof Date && shown.finishTime instanceof Date);
  const idsBy = async (filter: string): Promise<readonly (string | undefined)[]> =>
    (await all(client.runs.list(...inLocal, { filter }))).map((run) => run.runId);
  assert.deepEqual(await idsBy("Status eq 'Failed'"), [broken]);
  assert.deepEqual(await idsBy("RunType eq 'QuickBuild' and Status eq 'Succeeded'"), [runId]);
  assert.deepEqual(await idsBy(`RunId eq '${runId}' or Status eq 'Failed'`), [broken, runId]);
  assert.deepEqual(await idsBy('CreateTime lt 2020-01-01T00:00:00Z'), []);
  assert.deepEqual((await refusal(all(client.runs.list(...inLocal, { filter: 'nothing' })))).code, 'InvalidParameter');
  assert.equal((await all(client.runs.list(...inLocal, { top: 1 }))).length, 1);

  assert.equal((await client.runs.beginUpdateAndWait(...inLocal, runId, { isArchiveEnabled: true })).isArchiveEnabled, true);
  assert.deepEqual(await idsBy('IsArchiveEnabled eq true'), [runId]);
});

test('a run that waits is canceled', async () => {
  await client.agentPools.beginCreateAndWait(...inLocal, 'nobody', { location: 'local', count: 1, tier: 'S1', os: 'Linux' });
  const { runId = '' } = await client.registries.beginScheduleRunAndWait(...inLocal, {
    type: 'EncodedTaskRunRequest',
    encodedTaskContent: taskFile,
    values: [{ name: 'color', value: 'red' }],
    platform,
    agentPoolName: 'nobody',
  });
  assert.equal((await client.agentPools.getQueueStatus(...inLocal, 'nobody')).count, 1);
  await client.runs.beginCancelAndWait(...inLocal, runId);
  assert.equal((await client.runs.get(...inLocal, runId)).status, 'Canceled');
  assert.equal((await logOf(runId)).outcome, 'canceled');
  await client.agentPools.beginDeleteAndWait(...inLocal, 'nobody');
});

test('a task is made, run with other values, shown with and without its secrets, changed and deleted', async () => {
  const made = await client.tasks.beginCreateAndWait(...inLocal, 'sdk-task', {
    location: 'local',
    platform,
    step: {
      type: 'EncodedTask',
      encodedTaskContent: taskFile,
      values: [
        { name: 'color', value: 'red' },
        { name: 'key', value: 'hidden', isSecret: true },
      ],
    },
    trigger: { timerTriggers: [{ name: 'nightly', schedule: '0 3 * * *' }] },
  });
  assert.deepEqual([made.name, made.status, made.timeout], ['sdk-task', 'Enabled', 3600]);
  assert.equal(JSON.stringify(made).includes('hidden'), false);
  const details = await client.tasks.getDetails(...inLocal, 'sdk-task');
  assert.deepEqual(
    (details.step as EncodedTaskStep).values?.map((each) => each.value),
    ['red', 'hidden'],
  );
  const { runId = '', task } = await client.registries.beginScheduleRunAndWait(...inLocal, {
    type: 'TaskRunRequest',
    taskId: made.id ?? '',
    overrideTaskStepProperties: { values: [{ name: 'color', value: 'blue' }] },
  });
  assert.equal(task, 'sdk-task');
  assert.equal((await logOf(runId)).outcome, 'successful');
  const values = agent?.runs.find(({ assignment }) => assignment.run.id === runId)?.assignment.values;
  assert.deepEqual(Object.fromEntries(values?.map(({ name, value }) => [name, value]) ?? []), { color: 'blue', key: 'hidden' });
  const changed = await client.tasks.beginUpdateAndWait(...inLocal, 'sdk-task', { status: 'Disabled' });
  assert.deepEqual([changed.status, changed.trigger?.timerTriggers?.[0]?.schedule], ['Disabled', '0 3 * * *']);
  assert.deepEqual(
    (await all(client.tasks.list(...inLocal))).map(({ name }) => name),
    ['sdk-task'],
  );
  await client.tasks.beginDeleteAndWait(...inLocal, 'sdk-task');
  assert.equal((await refusal(client.tasks.get(...inLocal, 'sdk-task'))).code, 'ResourceNotFound');
});

test('the files of a build go to a signed address, once', async () => {
  const { uploadUrl = '', relativePath = '' } = await client.registries.getBuildSourceUploadUrl(...inLocal);
  assert.match(uploadUrl, /\/berth\/blobs\/local\.blob\.berth\/source\/[0-9a-f]{32}\?/);
  const body = randomBytes(100_000);
  const put = () => fetch(uploadUrl, { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body });
  const taken = await put();
  assert.equal(taken.status, 201);
  assert.ok(taken.headers.get('etag') !== null && taken.headers.get('x-ms-request-id') !== null);
  const again = await put();
  assert.deepEqual([again.status, again.headers.get('x-ms-error-code')], [403, 'UnauthorizedBlobOverwrite']);
  assert.deepEqual(await archiveOf(relativePath), body);
});

test('the files of a build come in blocks, in any order', async () => {
  const { uploadUrl = '', relativePath = '' } = await client.registries.getBuildSourceUploadUrl(...inLocal);
  const blocks = Array.from({ length: 3 }, () => randomBytes(50_000));
  const ids = blocks.map((_, index) => Buffer.from(String(index).padStart(32, '0')).toString('base64'));
  const put = async (query: string, body: Buffer | string): Promise<readonly [number, string | null]> => {
    const answer = await fetch(`${uploadUrl}&${query}`, { method: 'PUT', body });
    return [answer.status, answer.headers.get('x-ms-error-code')];
  };
  const list = `<BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join('')}</BlockList>`;
  assert.deepEqual(await put('comp=blocklist', list), [400, 'InvalidBlockList']);
  for (const index of [2, 0, 1, 1])
    assert.deepEqual(await put(`comp=block&blockid=${encodeURIComponent(ids[index] ?? '')}`, blocks[index] ?? Buffer.alloc(0)), [
      201,
      null,
    ]);
  assert.deepEqual(await put('comp=block&blockid=%21', 'x'), [400, 'InvalidBlockId']);
  assert.deepEqual(await put('comp=blocklist', '<Nothing/>'), [400, 'InvalidXmlDocument']);
  assert.deepEqual(await put('comp=blocklist', list), [201, null]);
  assert.deepEqual(await put('comp=blocklist', list), [403, 'UnauthorizedBlobOverwrite']);
  assert.deepEqual(await archiveOf(relativePath), Buffer.concat(blocks));
});

/** What the agent got of an upload. */
async function archiveOf(sourceLocation: string): Promise<Buffer | undefined> {
  const { runId = '' } = await client.registries.beginScheduleRunAndWait(...inLocal, {
    type: 'DockerBuildRequest',
    dockerFilePath: 'Dockerfile',
    isPushEnabled: false,
    sourceLocation,
    platform,
  });
  assert.equal((await logOf(runId)).outcome, 'successful');
  return agent?.runs.find(({ assignment }) => assignment.run.id === runId)?.archive;
}

test('a log is read by ranges, as an append blob', async () => {
  const { runId = '' } = await schedule();
  await logOf(runId);
  const { logLink = '' } = await client.runs.getLogSasUrl(...inLocal, runId);
  const head = await fetch(logLink, { method: 'HEAD' });
  assert.deepEqual(
    ['x-ms-blob-type', 'accept-ranges', 'content-length', 'x-ms-meta-complete'].map((name) => head.headers.get(name)),
    ['AppendBlob', 'bytes', '10', 'successful'],
  );
  const part = await fetch(logLink, { headers: { 'x-ms-range': 'bytes=3-8191', range: 'bytes=0-0' } });
  assert.deepEqual([part.status, part.headers.get('content-range'), await part.text()], [206, 'bytes 3-9/10', '\r\ntwo\r\n']);
  const beyond = await fetch(logLink, { headers: { 'x-ms-range': 'bytes=10-20' } });
  assert.deepEqual([beyond.status, beyond.headers.get('x-ms-error-code')], [416, 'InvalidRange']);
  assert.match(await beyond.text(), /^<\?xml.*<Code>InvalidRange<\/Code>/);
});

test('attack 23: runs and addresses of one registry are nothing in another', async () => {
  const { arm } = target();
  await arm.registries.create(group, 'sdkother', { location: 'local', sku: { name: 'Premium' } });
  const { runId = '' } = await schedule();
  await logOf(runId);
  for (const asked of [
    client.runs.get(group, 'sdkother', runId),
    client.runs.getLogSasUrl(group, 'sdkother', runId),
    client.runs.beginCancelAndWait(group, 'sdkother', runId),
    client.runs.beginUpdateAndWait(group, 'sdkother', runId, { isArchiveEnabled: true }),
  ])
    assert.deepEqual(await refusal(asked), { code: 'ResourceNotFound', statusCode: 404 });
  assert.deepEqual(await all(client.runs.list(group, 'sdkother')), []);
  const { logLink = '' } = await client.runs.getLogSasUrl(...inLocal, runId);
  const { uploadUrl = '' } = await client.registries.getBuildSourceUploadUrl(...inLocal);
  const changed = [
    logLink.replace('local.blob', 'sdkother.blob'),
    logLink.replace('local.blob', 'nowhere.blob'),
    logLink.replace('local.blob.berth', 'local'),
    logLink.replace(`/${runId}/`, '/ca999/'),
    logLink.replace(/se=[^&]*/, 'se=2099-01-01T00%3A00%3A00Z'),
    logLink.replace(/\?.*/, ''),
    uploadUrl.replace(/\/source\/.*\?/, `/logs/${runId}/rawtext.log?`),
  ];
  for (const address of changed) {
    const answer = await fetch(address);
    assert.deepEqual([answer.status, answer.headers.get('x-ms-error-code')], [403, 'AuthenticationFailed'], address);
  }
  await arm.registries.delete(group, 'sdkother');
});

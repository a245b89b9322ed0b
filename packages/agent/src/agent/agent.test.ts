import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { archiveOf } from '../context/test-archive.ts';
import type { RunEnd, RunHost } from '../run/run-host.ts';
import { AgentRefusal } from './refusal.ts';
import { Setting, limits } from './test-setting.ts';

const succeeded: RunEnd = { outcome: 'Succeeded', message: null, images: [], dependencies: [], temporaryTags: [] };

function stopped(host: RunHost): Promise<unknown> {
  return new Promise((resolve) => {
    if (host.signal.aborted) resolve(host.signal.reason);
    else host.signal.addEventListener('abort', () => resolve(host.signal.reason), { once: true });
  });
}

describe('an agent', () => {
  let setting: Setting;
  beforeEach(async () => {
    setting = await Setting.open();
  });
  afterEach(() => setting.close());

  test('executes runs of its server, with their source, and leaves nothing behind', async () => {
    const seen: RunHost[] = [];
    const agent = await setting.start(async (host) => {
      seen.push(host);
      const workspace = join(host.folder, 'workspace');
      await host.fetchSource(workspace);
      host.log('s', 'stdout', readFileSync(join(workspace, 'hello'), 'utf8'));
      host.mask('s3cret');
      host.log('', 'agent', 'it is s3cret');
      assert.equal(statSync(host.folder).mode & 0o777, 0o700);
      assert.equal(statSync(host.secretsFolder).mode & 0o777, 0o700);
      host.steps([
        {
          id: 's',
          kind: 'cmd',
          state: 'succeeded',
          startedAt: null,
          finishedAt: null,
          exitCode: 0,
          attempts: 1,
          reason: 's3cret',
        },
      ]);
      return succeeded;
    });
    const upload = await setting.upload(gzipSync(archiveOf([{ path: 'hello', content: 'world' }])));
    const id = await setting.queue({ source: { kind: 'upload', id: upload } });
    const run = await setting.ended(id);
    assert.equal(run.status, 'Succeeded', JSON.stringify(run));
    assert.equal(run.agent, 'test');
    assert.deepEqual(
      run.steps.map(({ id: step, state, reason }) => [step, state, reason]),
      [['s', 'succeeded', '***']],
    );
    const texts = (await setting.log(id)).map(({ step, stream, text }) => `${step} ${stream} ${text}`);
    assert.deepEqual(texts.slice(-2), ['s stdout world', ' agent it is ***']);
    const [host] = seen;
    assert.ok(host !== undefined);
    agent.stop();
    await agent.ended;
    assert.deepEqual(setting.leftovers(), []);
    assert.ok(!existsSync(host.secretsFolder));
  });

  test('runs as many at once as it may, and no more', async () => {
    let now = 0;
    let most = 0;
    const both = Promise.withResolvers<void>();
    await setting.start(
      async () => {
        now += 1;
        most = Math.max(most, now);
        if (now === 2) both.resolve();
        await both.promise;
        now -= 1;
        return succeeded;
      },
      { concurrency: 2 },
    );
    const ids = await Promise.all([setting.queue(), setting.queue(), setting.queue(), setting.queue()]);
    for (const id of ids) assert.equal((await setting.ended(id)).status, 'Succeeded');
    assert.equal(most, 2);
  });

  test('stops a run that is canceled', async () => {
    let reason: unknown;
    await setting.start(async (host) => {
      host.log('', 'agent', 'waits');
      reason = await stopped(host);
      return { ...succeeded, outcome: 'Canceled' };
    });
    const id = await setting.queue();
    await setting.until(id, ({ logRecords }) => logRecords > 0);
    await setting.ask('POST', `/berth/v1/runs/${id}/cancel`, {});
    assert.equal((await setting.ended(id)).status, 'Canceled');
    assert.equal(reason, 'canceled');
  });

  test('keeps every line while the server is away, in order and once', async () => {
    const away = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    await setting.start(async (host) => {
      for (let at = 0; at < 5_000; at += 1) {
        if (at === 2_000) await away.promise;
        host.log('s', 'stdout', `line ${at}`);
      }
      done.resolve();
      return succeeded;
    });
    const id = await setting.queue();
    await setting.until(id, ({ logRecords }) => logRecords > 0);
    setting.gate.isOpen = false;
    away.resolve();
    await done.promise;
    assert.notEqual((await setting.run(id)).status, 'Succeeded');
    setting.gate.isOpen = true;
    assert.equal((await setting.ended(id)).status, 'Succeeded');
    const texts = (await setting.log(id)).filter(({ step }) => step === 's').map(({ text }) => text);
    assert.deepEqual(
      texts,
      Array.from({ length: 5_000 }, (_, at) => `line ${at}`),
    );
  });

  test('stops a run that is not its own any more, and says no more of it', async () => {
    const reason = Promise.withResolvers<unknown>();
    await setting.start(async (host) => {
      host.log('', 'agent', 'waits');
      reason.resolve(await stopped(host));
      return succeeded;
    });
    const id = await setting.queue();
    await setting.until(id, ({ logRecords }) => logRecords > 0);
    // One that calls itself the same and holds nothing: the first was restarted, as the server sees it.
    const second = await setting.start(async () => succeeded, { workFolder: join(setting.folder, 'second') });
    assert.equal(await reason.promise, 'lease-lost');
    assert.equal((await setting.run(id)).status, 'Error');
    second.stopNow();
  });

  test('attack 34: ends a run that prints without end', async () => {
    await setting.start(
      async (host) => {
        while (!host.signal.aborted) {
          for (let at = 0; at < 100; at += 1) host.log('s', 'stdout', 'x'.repeat(1000));
          await new Promise((resolve) => void setImmediate(resolve));
        }
        return { ...succeeded, outcome: 'Failed', message: String(host.signal.reason) };
      },
      { limits: { ...limits, outputBytes: 300_000 } },
    );
    const id = await setting.queue();
    const run = await setting.ended(id);
    assert.equal(run.status, 'Failed');
    assert.match(run.error ?? '', /output-limit/);
    assert.match((await setting.log(id)).at(-1)?.text ?? '', /longer than the 300000 bytes/);
  });

  test('attack 34: ends a run that fills the disk', async () => {
    await setting.start(
      async (host) => {
        writeFileSync(join(host.folder, 'workspace', 'large'), Buffer.alloc(3_000_000, 1));
        return { ...succeeded, outcome: 'Failed', message: String(await stopped(host)) };
      },
      { limits: { ...limits, diskBytes: 1_000_000 } },
    );
    const run = await setting.ended(await setting.queue());
    assert.match(run.error ?? '', /disk-limit/);
  });

  test('lets runs end when it is stopped, within the grace', async () => {
    const begun = Promise.withResolvers<void>();
    const agent = await setting.start(
      async (host) => {
        begun.resolve();
        await Promise.race([stopped(host), new Promise((resolve) => void setTimeout(resolve, 500))]);
        return host.signal.aborted ? { ...succeeded, outcome: 'Error', message: 'stopped' } : succeeded;
      },
      { graceSeconds: 20 },
    );
    const id = await setting.queue();
    await begun.promise;
    agent.stop();
    await agent.ended;
    assert.equal((await setting.run(id)).status, 'Succeeded');
  });

  test('stops runs at the second request, and reports their end', async () => {
    const begun = Promise.withResolvers<void>();
    const agent = await setting.start(
      async (host) => {
        begun.resolve();
        return { ...succeeded, outcome: 'Error', message: `ended for ${String(await stopped(host))}` };
      },
      { graceSeconds: 600 },
    );
    const id = await setting.queue();
    await begun.promise;
    agent.stop();
    agent.stop();
    await agent.ended;
    const run = await setting.run(id);
    assert.equal(run.status, 'Error');
    assert.match(run.error ?? '', /agent-stopping/);
    assert.deepEqual(readdirSync(join(setting.folder, 'work', 'runs')), []);
    assert.ok(!existsSync(join(setting.folder, 'work', 'agent.lock')));
  });

  test('ends a run with an error when what executes it fails', async () => {
    await setting.start(() => Promise.reject(new Error('broken within')));
    const run = await setting.ended(await setting.queue());
    assert.equal(run.status, 'Error');
    assert.match(run.error ?? '', /the agent failed: broken within/);
  });

  test('goes when its key is refused, and when there is nothing to do for long', async () => {
    const unknown = await setting.start(async () => succeeded, { key: 'x'.repeat(40), workFolder: join(setting.folder, 'a') });
    await assert.rejects(unknown.ended, (error: unknown) => error instanceof AgentRefusal && error.exitCode === 4);
    const idle = await setting.start(async () => succeeded, { idleExitSeconds: 1, workFolder: join(setting.folder, 'b') });
    await idle.ended;
  });

  test('goes on trying while the server is away', async () => {
    setting.gate.isOpen = false;
    await setting.start(async () => succeeded);
    const id = await setting.queue();
    await setting.untilSaid(/goes on trying/);
    setting.gate.isOpen = true;
    assert.equal((await setting.ended(id)).status, 'Succeeded');
    await setting.untilSaid(/answers again/);
  });
});

import assert from 'node:assert/strict';
import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type RandomImage, RegistryClient, type StartedRegistry, randomImage, startRegistry } from '@berth/testkit';
import { failed, runBerth, succeeded } from './run-berth.ts';
import { startStrangeServer } from './strange-server.ts';

/** A registry of its own, since a scrub and damage belong to the whole of it. */
async function startWithImage(t: TestContext): Promise<{ registry: StartedRegistry; image: RandomImage }> {
  const registry = await startRegistry();
  t.after(() => registry.stop());
  using client = new RegistryClient(registry);
  const image = randomImage({ layerBytes: 50_000 });
  await client.pushImage('scrub/image', image, 'v1');
  return { registry, image };
}

test('scrub --wait opens everything, and --status tells the same afterwards', async (t) => {
  const { registry, image } = await startWithImage(t);
  const berth = (...args: string[]) => runBerth(['--data', registry.dataDir, 'scrub', ...args]);
  assert.equal(succeeded(await berth('--status')), 'No scrub has run since the server started. No damage is known.\n');
  const report = succeeded(await berth('--wait', '--pace', '1GiB'));
  const parts = image.layers.length + 1;
  const size = /^Scrub finished: (\d+) parts \((.+)\) and 1 manifests opened\. No damage is known\.\n$/.exec(report);
  assert.deepEqual([size?.[1], size?.[2]?.endsWith(' KiB')], [`${parts}`, true], report);
  assert.equal(succeeded(await berth('--status')), report);
});

test('scrub returns at once, and goes on in the background at its pace', async (t) => {
  const { registry } = await startWithImage(t);
  const berth = (...args: string[]) => runBerth(['--data', registry.dataDir, '--json', 'scrub', ...args]);
  // A byte a second: it cannot be done when it is asked for.
  for (const args of [['--pace', '1'], ['--status'], []]) {
    const { state, damage } = JSON.parse(succeeded(await berth(...args))) as { state: string; damage: unknown[] };
    assert.deepEqual({ state, damage }, { state: 'running', damage: [] });
  }
});

test('scrub names damaged content and ends with code 2, as --status does', async (t) => {
  const { registry, image } = await startWithImage(t);
  const parts = join(registry.dataDir, 'parts');
  const files = (await readdir(parts, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const file of files) await truncate(join(file.parentPath, file.name), 60);
  for (const argument of ['--wait', '--status']) {
    const { code, stdout, stderr } = await runBerth(['--data', registry.dataDir, 'scrub', argument]);
    assert.deepEqual({ code, stderr }, { code: 2, stderr: '' });
    const [head, title, ...damage] = stdout.trimEnd().split('\n');
    assert.match(head ?? '', /^Scrub finished: [^\n]+ opened\.$/);
    assert.equal(title, 'Damaged (push the content again to mend it):');
    assert.equal(damage.length, files.length);
    for (const { digest } of image.layers)
      assert.ok(
        damage.some((line) => line.startsWith(`  ${digest}: `)),
        stdout,
      );
  }
});

test('scrub --wait does not pass a scrub off as done that stopped early', async (t) => {
  const state = { state: 'stopped', partsChecked: 3, bytesChecked: 5, manifestsChecked: 0, repairedBlobs: 0, damage: [] };
  const host = await startStrangeServer(t, ({ method }, response) => {
    const begun = { ...state, state: 'running', startedAt: null, finishedAt: null };
    response.statusCode = method === 'POST' ? 202 : 200;
    response.end(JSON.stringify(method === 'POST' ? begun : { ...begun, ...state }));
  });
  const env = { BERTH_SERVER: host, BERTH_PASSWORD: 'a password' };
  assert.deepEqual(failed(await runBerth(['scrub', '--wait'], { env })), {
    why: 'the scrub stopped before its end',
    next: 'see the log of the server, and scrub again',
  });
});

test('a pace that is none is refused', async (t) => {
  const { registry } = await startWithImage(t);
  for (const pace of ['fast', '0', '-1', '5 parsecs', '']) {
    assert.deepEqual(failed(await runBerth(['--data', registry.dataDir, 'scrub', `--pace=${pace}`])), {
      why: `"${pace}" is no pace`,
      next: 'write bytes per second, such as 50MiB',
    });
  }
  assert.match(succeeded(await runBerth(['--data', registry.dataDir, 'scrub', '--status'])), /^No scrub has run/);
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingForNetwork, missingPrograms, openTestNetwork, startDockerDaemon } from '@berth/testkit';
import { findEngine } from './find-engine.ts';

const reason = missingForNetwork() ?? missingPrograms(['docker', 'dockerd']);

test('docker is where the context of the user says, with the plug-ins that it knows', { skip: reason ?? false }, async () => {
  await using opened = new AsyncDisposableStack();
  const network = opened.adopt(await openTestNetwork(), (each) => each.close());
  const daemon = opened.adopt(await startDockerDaemon(network, {}), (each) => each.stop());
  const folder = opened.adopt(await mkdtemp(join(tmpdir(), 'berth-docker-')), (each) => rm(each, { recursive: true }));
  const before = { ...process.env };
  opened.defer(() => {
    for (const name of ['DOCKER_CONFIG', 'DOCKER_HOST', 'DOCKER_CONTEXT']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });
  delete process.env['DOCKER_HOST'];
  delete process.env['DOCKER_CONTEXT'];
  process.env['DOCKER_CONFIG'] = folder;
  const find = () => findEngine({ wanted: 'docker', log: () => {} });
  execFileSync('docker', ['context', 'create', 'mine', '--docker', `host=${daemon.host}`], { stdio: 'ignore' });
  execFileSync('docker', ['context', 'use', 'mine'], { stdio: 'ignore' });
  const settings = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
  const config = { ...settings, cliPluginsExtraDirs: ['/opt/plugins'] };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));

  const engine = await find();
  assert.equal((await engine.query(['info', '--format', '{{.DockerRootDir}}'])).trim(), join(daemon.folder, 'data'));
  assert.equal(engine.socketPath, daemon.host.slice('unix://'.length));
  assert.deepEqual(engine.describe().pluginFolders, [join(folder, 'cli-plugins'), '/opt/plugins']);

  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, currentContext: 'default' }));
  process.env['DOCKER_CONTEXT'] = 'mine';
  assert.equal((await find()).describe().version, engine.describe().version);
  process.env['DOCKER_CONTEXT'] = 'nobodys';
  await assert.rejects(find, /nobodys/);
});

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startEmptyCluster } from './empty-cluster.ts';
import { type ClientSession, clientSuite } from './client-suite.ts';
import type { ProgramOutput } from './client-program.ts';

clientSuite('helm', ['helm'], (session) => {
  const helm = (args: readonly string[], input?: string): Promise<ProgramOutput> =>
    session.run('helm', args, input === undefined ? {} : { input });
  const trust = (): readonly string[] => {
    return session.target.authorityFile === undefined ? ['--plain-http'] : ['--ca-file', session.target.authorityFile];
  };
  const chart = (): string => `oci://${session.target.host}/helm/charts/sample`;

  test('signs in, and is refused with a wrong password', async () => {
    const login = [
      'registry',
      'login',
      session.target.host,
      ...trust(),
      '--username',
      session.target.username,
      '--password-stdin',
    ];
    await assert.rejects(helm(login, 'wrong'), /unauthorized|401|denied/i);
    await helm(login, session.target.password);
  });

  test('packages, pushes and pulls the same bytes', async () => {
    await writeChart(session);
    for (const version of ['0.1.0', '0.2.0', '1.0.0-rc.1+build.5']) {
      await helm(['package', 'sample', '--version', version]);
      await helm(['push', `sample-${version}.tgz`, `oci://${session.target.host}/helm/charts`, ...trust()]);
    }
    await mkdir(join(session.folder, 'pulled'));
    await helm(['pull', chart(), '--version', '0.1.0', '--destination', 'pulled', ...trust()]);
    assert.deepEqual(
      await readFile(join(session.folder, 'pulled/sample-0.1.0.tgz')),
      await readFile(join(session.folder, 'sample-0.1.0.tgz')),
    );
    // The plus sign of a version is no character of tags: helm writes an underscore.
    assert.deepEqual(await session.reader.tags('helm/charts/sample'), ['0.1.0', '0.2.0', '1.0.0-rc.1_build.5']);
  });

  test('finds the newest version in the list of tags', async () => {
    assert.match((await helm(['show', 'chart', chart(), ...trust()])).stdout, /^version: 0\.2\.0$/m);
    assert.match((await helm(['show', 'chart', chart(), '--devel', ...trust()])).stdout, /^version: 1\.0\.0-rc\.1\+build\.5$/m);
  });

  test('renders and dry-runs an installation from the registry', async (t) => {
    const rendered = await helm(['template', 'release', chart(), '--version', '0.2.0', '--set', 'greeting=hello', ...trust()]);
    assert.match(rendered.stdout, /greeting: "hello"/);
    const cluster = await startEmptyCluster();
    t.after(() => cluster.stop());
    const dry = ['--dry-run=client', '--disable-openapi-validation', '--kube-apiserver', cluster.url];
    const installed = await helm(['install', 'release', chart(), '--version', '0.1.0', ...dry, ...trust()]);
    assert.match(installed.stdout, /STATUS: pending-install[\s\S]*greeting: "moin"/);
  });

  test('resolves the dependency of another chart', async () => {
    const folder = join(session.folder, 'parent');
    await mkdir(folder);
    const dependency = { name: 'sample', version: '0.1.0', repository: `oci://${session.target.host}/helm/charts` };
    await writeFile(
      join(folder, 'Chart.yaml'),
      JSON.stringify({ apiVersion: 'v2', name: 'parent', version: '1.0.0', dependencies: [dependency] }),
    );
    await helm(['dependency', 'update', folder, ...trust()]);
    assert.deepEqual(
      await readFile(join(folder, 'charts/sample-0.1.0.tgz')),
      await readFile(join(session.folder, 'sample-0.1.0.tgz')),
    );
  });
});

async function writeChart(session: ClientSession): Promise<void> {
  const folder = join(session.folder, 'sample');
  await mkdir(join(folder, 'templates'), { recursive: true });
  await writeFile(
    join(folder, 'Chart.yaml'),
    'apiVersion: v2\nname: sample\nversion: 0.0.0\ndescription: a chart of the tests\n',
  );
  await writeFile(join(folder, 'values.yaml'), 'greeting: moin\n');
  const template =
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting | quote }}\n';
  await writeFile(join(folder, 'templates', 'configmap.yaml'), template);
}

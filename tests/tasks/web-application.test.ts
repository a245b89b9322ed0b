import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Kubernetes, kubernetesPrograms, startKubernetes } from './kubernetes.ts';
import { taskSuite } from './task-suite.ts';
import { fixture } from './task-world.ts';

const server = `<h1>It works</h1>\n`;

taskSuite('a web application from one task file', { programs: ['helm', 'curl', ...kubernetesPrograms] }, (world) => {
  let kubernetes: Kubernetes | undefined;
  before(async () => {
    kubernetes = await startKubernetes(world().network, join(world().folder, 'kubernetes'));
  });
  after(() => kubernetes?.stop());

  test('is built, run, tested by its name, pushed, packaged and deployed', async () => {
    const here = world();
    await here.pushTools('base/tools:v1', ['curl']);
    await here.pushTools('base/helm:v1', ['helm']);
    await here.startAgent();
    const chart = 'apiVersion: v2\nname: web\nversion: 0.1.0\n';
    const deployment = [
      'apiVersion: apps/v1',
      'kind: Deployment',
      'metadata: { name: web, labels: { version: "{{ .Chart.AppVersion }}" } }',
      'spec:',
      '  selector: { matchLabels: { app: web } }',
      '  template:',
      '    metadata: { labels: { app: web } }',
      '    spec: { containers: [{ name: web, image: "{{ .Values.image }}" }] }',
    ];
    const folder = await here.write('web application', {
      'task.yaml': await fixture('web-application.yaml'),
      'app/Dockerfile': 'ARG BASE\nFROM ${BASE}\nCOPY index.html /www/\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n',
      'app/index.html': server,
      'tests/Dockerfile': 'ARG BASE\nFROM ${BASE}\nENTRYPOINT ["curl", "--fail", "--silent", "--show-error"]\n',
      'chart/Chart.yaml': chart,
      'chart/templates/deployment.yaml': `${deployment.join('\n')}\n`,
    });
    const kubeconfig = Buffer.from(kubernetes?.kubeconfig ?? '').toString('base64');
    const { code, stdout, stderr } = await here.berth(
      ['run', '--file', 'task.yaml', '--set-secret', 'kubeconfig', '--json', '.'],
      {
        cwd: folder,
        env: { kubeconfig },
      },
    );
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const run = JSON.parse(stdout) as { readonly id: string };
    const { steps, images, dependencies } = await here.run(run.id);
    assert.deepEqual(
      steps.map(({ id, state }) => [id, state]),
      ['app', 'web', 'test-image', 'test', 'push', 'chart', 'deploy'].map((id) => [id, 'succeeded']),
    );
    const tested = (await here.log(run.id)).filter(({ step, stream }) => step === 'test' && stream === 'stdout');
    assert.ok(
      tested.some(({ text }) => `${text}\n` === server),
      'the tests saw the application',
    );
    assert.deepEqual(
      images.map(({ repository, tag, digest }) => [repository, tag, digest]),
      [['web/app', run.id, await here.digest('web/app', run.id)]],
    );
    assert.equal(dependencies.find(({ step }) => step === 'app')?.bases[0]?.digest, await here.digest('base/tools', 'v1'));
    assert.match(await here.digest('charts/web', '0.1.0'), /^sha256:/);
    const deployed = (await kubernetes?.get('/apis/apps/v1/namespaces/default/deployments/web')) as {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } } };
    };
    assert.equal(deployed.metadata.labels['version'], run.id);
    assert.equal(deployed.spec.template.spec.containers[0]?.image, `${here.host}/web/app:${run.id}`);
    const log = await here.log(run.id);
    assert.ok(!log.some(({ text }) => text.includes(kubeconfig.slice(0, 40))), 'the secret is not in the log');
    assert.deepEqual(await here.engine.labelled('berth.run'), [], 'nothing is left');
  });
});

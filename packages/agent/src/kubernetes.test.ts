import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { readOptions } from './agent/agent-options.ts';

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: {
    readonly template?: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly Container[];
        readonly initContainers: readonly Container[];
        readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
      };
    };
    readonly scaleTargetRef?: { readonly name: string };
    readonly triggers?: readonly { readonly metadata: { readonly query: string } }[];
  };
}

const path = new URL('../../../deploy/kubernetes/agent.yaml', import.meta.url);

test('the manifests of Kubernetes are YAML, fit together, and start the agent with options that it has', () => {
  const documents = parseAllDocuments(readFileSync(path, 'utf8'));
  const manifests = documents.map((document) => {
    assert.deepEqual('errors' in document ? document.errors : [], []);
    return document.toJS() as Manifest;
  });
  const kind = (name: string): Manifest => manifests.find((each) => each.kind === name) ?? assert.fail(`there is no ${name}`);
  for (const { metadata, kind: own } of manifests)
    if (own !== 'Namespace') assert.equal(metadata.namespace, kind('Namespace').metadata.name);

  const pod = kind('Deployment').spec?.template?.spec ?? assert.fail('there is no pod');
  const agent: Container | undefined = pod.containers[0];
  const engine: Container | undefined = pod.initContainers[0];
  assert.ok(agent !== undefined && engine !== undefined);
  const options = readOptions(agent.args, {
    ...Object.fromEntries(agent.env.map(({ name, value = '' }) => [name, value])),
    BERTH_AGENT_KEY: 'key',
  });
  assert.equal(options.engine, 'docker');
  assert.ok(pod.terminationGracePeriodSeconds >= options.graceSeconds + 60);
  const both: readonly Container[] = [agent, engine];
  const mounts = (container: Container): readonly string[] =>
    container.volumeMounts.map(({ name, mountPath }) => `${name} ${mountPath}`);
  for (const mount of [`work ${options.workFolder}`, 'memory /dev/shm', 'engine /run/engine'])
    for (const container of both) assert.ok(mounts(container).includes(mount), `${container.name}: ${mount}`);
  for (const { name } of [...agent.volumeMounts, ...engine.volumeMounts])
    assert.ok(pod.volumes.some((volume) => volume.name === name));
  assert.equal(pod.volumes.find(({ secret }) => secret !== undefined)?.secret?.secretName, kind('Secret').metadata.name);

  const scaled = kind('ScaledObject').spec;
  assert.equal(scaled?.scaleTargetRef?.name, kind('Deployment').metadata.name);
  assert.match(scaled?.triggers?.[0]?.metadata.query ?? '', /berth_runs_queued/);
});

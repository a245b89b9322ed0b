import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { missingForNetwork, openTestNetwork } from '@berth/testkit';
import { parseAllDocuments } from 'yaml';
import { findProgram, isRequired } from '../clients/client-program.ts';
import { type Kubernetes, type KubernetesAnswer, kubernetesPrograms, startKubernetes } from './kubernetes.ts';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
}

interface ScaledObject {
  readonly scaleTargetRef: { readonly name: string };
  readonly minReplicaCount: number;
  readonly maxReplicaCount: number;
  readonly advanced: { readonly horizontalPodAutoscalerConfig: { readonly behavior: object } };
  readonly triggers: readonly { readonly type: string; readonly metadata: Readonly<Record<string, unknown>> }[];
}

const folder = new URL('../../deploy/kubernetes/', import.meta.url);

async function readManifests(): Promise<readonly Manifest[]> {
  const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')));
  return texts.flatMap((text) => [...parseAllDocuments(text)].map((document) => document.toJS() as Manifest));
}

function apiOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** Where the server keeps an object, as it says itself; undefined: it does not know the kind. */
async function pathOf(kubernetes: Kubernetes, { apiVersion, kind, metadata }: Manifest): Promise<string | undefined> {
  const api = (await kubernetes.get(apiOf(apiVersion))) as
    | { readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[] }
    | undefined;
  const resource = api?.resources.find((each) => each.kind === kind && !each.name.includes('/'));
  if (resource === undefined) return undefined;
  const place = resource.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
  return `${apiOf(apiVersion)}${place}/${resource.name}/${metadata.name}`;
}

/** What is stored says all that the manifest says; the server adds its defaults, and leaves out what is empty. */
function requireKept(written: unknown, stored: unknown, place: string): void {
  if (typeof written !== 'object' || written === null) {
    assert.deepEqual(stored ?? '', written, place);
    return;
  }
  if (Array.isArray(written)) assert.equal((stored as unknown[] | undefined)?.length ?? 0, written.length, place);
  for (const [name, each] of Object.entries(written))
    requireKept(each, (stored as Readonly<Record<string, unknown>> | undefined)?.[name], `${place}.${name}`);
}

/** A Secret is written as text and kept in base64. */
function asKept(manifest: Manifest): object {
  const { stringData, ...others } = manifest as Manifest & { readonly stringData?: Readonly<Record<string, string>> };
  if (stringData === undefined) return others;
  const data = Object.entries(stringData).map(([name, text]) => [name, Buffer.from(text).toString('base64')] as const);
  return { ...others, data: Object.fromEntries(data) };
}

function requireTaken({ status, body }: KubernetesAnswer, what: string): void {
  assert.ok(status === 200 || status === 201, `${what}: ${status} ${JSON.stringify(body)}`);
}

function defineTests(get: () => Kubernetes): void {
  test('each manifest that Kubernetes itself knows is applied, and kept as it is written', async (t) => {
    const kubernetes = get();
    const kinds: string[] = [];
    for (const manifest of await readManifests()) {
      const what = `${manifest.kind} ${manifest.metadata.name}`;
      const path = await pathOf(kubernetes, manifest);
      if (path === undefined) {
        t.diagnostic(`${what} is of ${manifest.apiVersion}, which a Kubernetes without that extension does not know`);
        assert.equal(manifest.apiVersion, 'keda.sh/v1alpha1', what);
        continue;
      }
      kinds.push(manifest.kind);
      requireTaken(await kubernetes.apply(path, manifest), what);
      const stored = (await kubernetes.get(path)) as Manifest;
      requireKept(asKept(manifest), stored, what);
      requireTaken(await kubernetes.apply(path, manifest), what);
      const again = (await kubernetes.get(path)) as Manifest;
      // What fields are whose since when is written anew.
      assert.deepEqual({ ...again, metadata: {} }, { ...stored, metadata: {} }, `${what}: applied again, nothing changes`);
      const misspelled = await kubernetes.apply(path, { ...manifest, spek: {} }, { isDryRun: true });
      assert.match(JSON.stringify(misspelled.body), /spek: field not declared/, what);
    }
    assert.deepEqual(kinds, ['Namespace', 'Secret', 'Deployment', 'NetworkPolicy']);
  });

  // KEDA's definitions are not here. What it makes of them is: an autoscaler of Kubernetes, for the same target and with the same behavior.
  test('the ScaledObject scales what is there, within what an autoscaler of Kubernetes takes', async () => {
    const kubernetes = get();
    const manifests = await readManifests();
    const manifest = manifests.find(({ kind }) => kind === 'ScaledObject') ?? assert.fail('there is no ScaledObject');
    for (const each of manifests.filter(({ kind }) => kind === 'Namespace' || kind === 'Deployment'))
      requireTaken(await kubernetes.apply((await pathOf(kubernetes, each)) ?? '', each), each.kind);
    const { scaleTargetRef, minReplicaCount, maxReplicaCount, advanced, triggers } = manifest.spec as ScaledObject;
    const namespace = manifest.metadata.namespace ?? '';
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: scaleTargetRef.name };
    const scale = await kubernetes.get(`/apis/apps/v1/namespaces/${namespace}/deployments/${target.name}/scale`);
    assert.equal((scale as { readonly kind: string } | undefined)?.kind, 'Scale', 'the target can be scaled');
    const external = {
      metric: { name: 's0-prometheus' },
      target: { type: 'AverageValue', averageValue: triggers[0]?.metadata['threshold'] },
    };
    const autoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: `keda-hpa-${manifest.metadata.name}`, namespace },
      spec: {
        scaleTargetRef: target,
        // From none to one KEDA scales by itself.
        minReplicas: Math.max(1, minReplicaCount),
        maxReplicas: maxReplicaCount,
        behavior: advanced.horizontalPodAutoscalerConfig.behavior,
        metrics: [{ type: 'External', external }],
      },
    };
    const path = (await pathOf(kubernetes, autoscaler)) ?? assert.fail('there are autoscalers');
    requireTaken(await kubernetes.apply(path, autoscaler, { isDryRun: true }), 'the autoscaler');
    // Its definition has texts alone there.
    for (const { type, metadata } of triggers) {
      assert.equal(type, 'prometheus');
      assert.deepEqual(Object.keys(metadata).toSorted(), ['query', 'serverAddress', 'threshold']);
      for (const value of Object.values(metadata)) assert.equal(typeof value, 'string');
    }
  });
}

const name = 'manifests of Kubernetes';
const missing = kubernetesPrograms.filter((program) => findProgram(program) === undefined);
const reason = missing.length > 0 ? `not installed: ${missing.join(', ')}` : missingForNetwork();
if (reason === undefined)
  describe(name, () => {
    const opened = new AsyncDisposableStack();
    let kubernetes: Kubernetes | undefined;
    before(async () => {
      const work = await mkdtemp(join(tmpdir(), 'berth-kubernetes-'));
      opened.defer(() => rm(work, { recursive: true, force: true }));
      const network = opened.adopt(await openTestNetwork(), (each) => each.close());
      kubernetes = opened.adopt(await startKubernetes(network, work), (each) => each.stop());
    });
    after(() => opened.disposeAsync());
    defineTests(() => kubernetes ?? assert.fail('the server is used outside of its tests'));
  });
else if (isRequired('tasks')) test(`${name} can be applied`, () => assert.fail(reason));
else describe(name, { skip: reason }, () => {});

import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { TestNetwork } from '@berth/testkit';
import { findProgram } from '../clients/client-program.ts';

export const kubernetesPrograms = ['etcd', 'kube-apiserver'] as const;

/** A real Kubernetes API server with its store. No nodes: what is deployed is kept, and nothing runs. */
export interface Kubernetes {
  /** A file for kubectl and helm, for whoever may everything. */
  readonly kubeconfig: string;
  /** An object of the API, by its path; undefined: there is none. */
  get(path: string): Promise<unknown>;
  /** Server-side apply of a manifest at the path of its object, as `kubectl apply --server-side --validate=strict` does it. */
  apply(path: string, manifest: object, options?: ApplyOptions): Promise<KubernetesAnswer>;
  stop(): Promise<void>;
}

export interface ApplyOptions {
  /** The server checks everything and keeps nothing. */
  readonly isDryRun?: boolean;
}

export interface KubernetesAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface Request {
  readonly method: 'GET' | 'PATCH';
  readonly path: string;
  readonly token: string;
  /** JSON is YAML, too. */
  readonly manifest?: object;
}

export async function startKubernetes(network: TestNetwork, folder: string): Promise<Kubernetes> {
  await mkdir(folder, { recursive: true });
  const token = randomBytes(24).toString('hex');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = join(folder, 'service-accounts.pem');
  await writeFile(key, privateKey.export({ type: 'sec1', format: 'pem' }));
  await writeFile(join(folder, 'tokens.csv'), `${token},tester,tester,system:masters\n`);
  const store = `http://127.0.0.1:2379`;
  const children = [
    start(network, 'etcd', {
      'data-dir': join(folder, 'etcd'),
      'listen-client-urls': store,
      'advertise-client-urls': store,
      'listen-peer-urls': 'http://127.0.0.1:2380',
      'log-level': 'error',
    }),
    start(network, 'kube-apiserver', {
      'etcd-servers': store,
      'bind-address': network.address,
      'secure-port': '6443',
      'cert-dir': join(folder, 'certificates'),
      'token-auth-file': join(folder, 'tokens.csv'),
      'authorization-mode': 'RBAC',
      // As kubeadm and the clusters of clouds have it.
      'allow-privileged': 'true',
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': key,
      'service-account-signing-key-file': key,
      'service-cluster-ip-range': '198.19.0.0/24',
      'disable-admission-plugins': 'ServiceAccount',
    }),
  ];
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) await end(child);
  };
  const get = async (path: string): Promise<unknown> => {
    const { status, body } = await ask(network, { method: 'GET', path, token });
    return status === 200 ? body : undefined;
  };
  const apply = (path: string, manifest: object, { isDryRun = false }: ApplyOptions = {}): Promise<KubernetesAnswer> => {
    const query = `fieldManager=tests&fieldValidation=Strict${isDryRun ? '&dryRun=All' : ''}`;
    return ask(network, { method: 'PATCH', path: `${path}?${query}`, token, manifest });
  };
  try {
    await untilReady(get, children);
  } catch (error) {
    await stop();
    throw error;
  }
  return { kubeconfig: kubeconfigOf(`https://${network.address}:6443`, token), get, apply, stop };
}

function start(network: TestNetwork, program: string, options: Readonly<Record<string, string>>): ChildProcess {
  const [command, ...args] = [...network.startedBy, findProgram(program) ?? program];
  const given = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  return spawn(command, [...args, ...given], { stdio: 'ignore', env: { PATH: process.env['PATH'] } });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

async function untilReady(get: Kubernetes['get'], children: readonly ChildProcess[]): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (children.some(({ exitCode }) => exitCode !== null)) throw new Error('the Kubernetes API server ended at its start');
    if ((await get('/api/v1/namespaces/default').catch(() => undefined)) !== undefined) return;
    await pause(100);
  }
  throw new Error('the Kubernetes API server is not ready after 60 s');
}

function ask(network: TestNetwork, { method, path, token, manifest }: Request): Promise<KubernetesAnswer> {
  return new Promise((resolve, reject) => {
    // Its certificate is its own; nobody else can have this address.
    const type = manifest === undefined ? {} : { 'content-type': 'application/apply-patch+yaml' };
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json', ...type };
    const options = { method, headers, rejectUnauthorized: false, timeout: 10_000 };
    const outgoing = request(`https://${network.address}:6443${path}`, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = answer.headers['content-type']?.startsWith('application/json') === true;
        resolve({ status: answer.statusCode ?? 0, body: isJson ? JSON.parse(text) : text });
      });
      answer.on('error', reject);
    });
    outgoing.on('error', reject).on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.end(manifest === undefined ? undefined : JSON.stringify(manifest));
  });
}

function kubeconfigOf(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'tester', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'tester' } }],
    'current-context': 'test',
  });
}

import { once } from 'node:events';
import { createServer } from 'node:http';

/** The few answers of a Kubernetes API that a dry run of `helm install` asks for: a cluster that knows ConfigMaps and holds nothing. */
export async function startEmptyCluster(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = answers.find(([path]) => path === request.url?.split('?')[0]);
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(answer?.[1] ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const configMaps = {
  name: 'configmaps',
  singularName: 'configmap',
  namespaced: true,
  kind: 'ConfigMap',
  verbs: ['create', 'get', 'list'],
};
const answers: readonly (readonly [string, unknown])[] = [
  ['/version', { major: '1', minor: '30', gitVersion: 'v1.30.0' }],
  ['/api', { kind: 'APIVersions', versions: ['v1'] }],
  ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: [] }],
  ['/api/v1', { kind: 'APIResourceList', groupVersion: 'v1', resources: [configMaps] }],
  ['/api/v1/namespaces/default/secrets', { kind: 'SecretList', apiVersion: 'v1', metadata: {}, items: [] }],
];

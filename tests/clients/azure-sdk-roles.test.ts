import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import { ContainerRegistryClient } from '@azure/container-registry';
import { ClientAssertionCredential, type TokenCredential } from '@azure/identity';
import { type OidcIssuer, RegistryClient, randomImage, startOidcIssuer } from '@berth/testkit';
import { all, refusal, useSdkTarget } from './azure-sdk-target.ts';

/** The JavaScript SDKs of Azure as identities that may do little, with a secret and with tokens of another issuer. */
const target = useSdkTarget();
const group = 'berth';
const audience = 'https://containerregistry.azure.net';
let provider: OidcIssuer;

before(async () => {
  provider = await startOidcIssuer();
});
after(() => provider.stop());

/** Asks the directory as the operator. */
async function directory<Answer>(method: string, path: string, body: object): Promise<Answer> {
  using client = new RegistryClient({ ...target().registry, scheme: 'basic' });
  const answer = await client.request(method, `/berth/v1${path}`, { body: JSON.stringify(body) });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body.toString() || 'null') as Answer;
}

/** Makes an identity with one role at the default registry. @returns its client id */
async function identityWith(name: string, role: string): Promise<string> {
  const { clientId } = await directory<{ clientId: string }>('POST', '/identities', { name });
  await directory('PUT', `/identities/${name}/roles/${randomUUID()}`, { role, scope: 'registry:local' });
  return clientId;
}

function managerOf(credential: TokenCredential): ContainerRegistryManagementClient {
  const { owner, registry } = target();
  return new ContainerRegistryManagementClient(credential, owner.subscriptionId, { endpoint: registry.url });
}

const forbidden = { code: 'AuthorizationFailed', statusCode: 403 };

test('a reader sees the registry, and neither changes it nor learns its passwords', async () => {
  const clientId = await identityWith('sdk-reader', 'Reader');
  const secret = await directory<{ value: string }>('POST', '/identities/sdk-reader/secrets', {});
  const reader = managerOf(target().credential('adfs', { clientId, clientSecret: secret.value }));
  assert.equal((await reader.registries.get(group, 'local')).name, 'local');
  assert.ok((await all(reader.scopeMaps.list(group, 'local'))).length > 0);
  for (const attempt of [
    () => reader.registries.update(group, 'local', { anonymousPullEnabled: true }),
    () => reader.registries.create(group, 'sdkmine', { location: 'local', sku: { name: 'Basic' } }),
    () => reader.registries.listCredentials(group, 'local'),
    () => reader.registries.regenerateCredential(group, 'local', { name: 'password' }),
    () => reader.tokens.create(group, 'local', 'sdk-mine', {}),
    () => reader.registries.delete(group, 'local'),
  ])
    assert.deepEqual(await refusal(attempt()), forbidden, attempt.toString());
});

test('a job signs in with a token of its own issuer, pulls, and deletes nothing', async () => {
  const { registry, owner } = target();
  using pusher = new RegistryClient(registry);
  await pusher.pushImage('roles/a', randomImage(), 'v1');
  const clientId = await identityWith('sdk-job', 'AcrPull');
  // Its keys are given: a server asks no address of its own machine.
  await directory('POST', '/issuers', { issuer: provider.issuer, jwks: await (await fetch(`${provider.issuer}/jwks`)).json() });
  await directory('PUT', '/identities/sdk-job/federated-credentials/ci', {
    issuer: provider.issuer,
    audiences: ['api://AzureADTokenExchange'],
    claims: { sub: 'repo:acme/app:*' },
  });
  const job = (subject: string): ClientAssertionCredential => {
    const assertion = () => provider.issue({ audience: 'api://AzureADTokenExchange', subject });
    const options = { authorityHost: registry.url, disableInstanceDiscovery: true };
    return new ClientAssertionCredential(owner.tenantId, clientId, assertion, options);
  };
  const client = new ContainerRegistryClient(registry.url, job('repo:acme/app:main'), { audience });
  assert.equal((await client.getArtifact('roles/a', 'v1').getManifestProperties()).tags?.[0], 'v1');
  await assert.rejects(client.deleteRepository('roles/a'), (error) => statusOf(error) === 401);
  await assert.rejects(
    client.getArtifact('roles/a', 'v1').updateTagProperties('v1', { canWrite: false }),
    (error) => statusOf(error) === 401,
  );
  await assert.rejects(job('repo:other/app:main').getToken(`${audience}/.default`), /does not match sub of sdk-job\/ci/);
});

function statusOf(error: unknown): unknown {
  return (error as { statusCode?: unknown }).statusCode;
}

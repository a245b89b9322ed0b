import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { RegistryClient } from '@berth/testkit';

export interface NewIdentity {
  readonly objectId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A service principal with a secret, and these roles at a scope. */
export async function newIdentity(
  { client }: { readonly client: RegistryClient },
  roles: readonly string[],
  scope = 'registry:local',
): Promise<NewIdentity> {
  const ask = async (method: string, path: string, body: object): Promise<Record<string, string>> => {
    const answer = await client.request(method, path, { authorization: client.basic, body: JSON.stringify(body) });
    assert.ok(answer.status < 300, answer.body.toString());
    return JSON.parse(answer.body.toString()) as Record<string, string>;
  };
  const made = await ask('POST', '/berth/v1/identities', { name: `i${randomUUID()}` });
  const secret = await ask('POST', `/berth/v1/identities/${made['id']}/secrets`, {});
  for (const role of roles) await ask('PUT', `/berth/v1/identities/${made['id']}/roles/${randomUUID()}`, { role, scope });
  return { objectId: made['id'] ?? '', clientId: made['clientId'] ?? '', clientSecret: secret['value'] ?? '' };
}

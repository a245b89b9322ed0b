import assert from 'node:assert/strict';
import { digestOf } from './content.ts';
import { type Possible, type PushedManifest, type RepositoryLedger, absent, present } from './ledger.ts';
import type { ServerConnection } from './server-connection.ts';

/**
 * Compares what the server shows with what the ledger allows and settles the open questions: every acknowledged push
 * pulls back byte for byte, and whatever else is visible is whole.
 */
export async function verifyRepository(server: ServerConnection, ledger: RepositoryLedger): Promise<void> {
  const shown = await tagsOf(server, ledger.name);
  for (const tag of shown) assert.ok(ledger.tags.has(tag), `${ledger.name}:${tag} was never pushed`);
  for (const [tag, possible] of ledger.tags) await settleTag(server, ledger, { tag, possible, isListed: shown.has(tag) });
  for (const [digest, possible] of ledger.manifests) {
    const answer = await server.request('GET', `/v2/${ledger.name}/manifests/${digest}`);
    const state = answer.status === 200 ? present : absent;
    assert.ok(
      possible.has(state),
      `${ledger.name}@${digest} is ${state} (${answer.status}), allowed: ${[...possible].join(', ')}`,
    );
    ledger.manifests.set(digest, new Set([state]));
    if (state === present) await verifyContent(server, ledger, digest, answer.body);
    else ledger.contents.delete(digest);
  }
  for (const [digest, possible] of ledger.manifests) if (possible.has(absent)) ledger.manifests.delete(digest);
}

async function settleTag(
  server: ServerConnection,
  ledger: RepositoryLedger,
  { tag, possible, isListed }: { readonly tag: string; readonly possible: Possible; readonly isListed: boolean },
): Promise<void> {
  const answer = await server.request('HEAD', `/v2/${ledger.name}/manifests/${tag}`);
  const state = answer.status === 200 ? (answer.headers.get('docker-content-digest') ?? '') : absent;
  assert.equal(
    answer.status === 200,
    isListed,
    `${ledger.name}:${tag} answers ${answer.status} and is ${isListed ? '' : 'not '}listed`,
  );
  assert.ok(possible.has(state), `${ledger.name}:${tag} is ${state}, allowed: ${[...possible].join(', ')}`);
  ledger.tags.set(tag, new Set([state]));
}

async function verifyContent(
  server: ServerConnection,
  ledger: RepositoryLedger,
  digest: string,
  manifest: Buffer,
): Promise<void> {
  const pushed = ledger.contents.get(digest) as PushedManifest;
  assert.ok(manifest.equals(pushed.bytes), `${ledger.name}@${digest} has other bytes`);
  for (const blob of pushed.blobs.keys()) {
    const answer = await server.request('GET', `/v2/${ledger.name}/blobs/${blob}`);
    assert.equal(answer.status, 200, `${blob} of ${ledger.name}@${digest}: ${answer.body.subarray(0, 300).toString()}`);
    assert.equal(digestOf(answer.body), blob, `${blob} of ${ledger.name}@${digest} has other bytes`);
  }
}

async function tagsOf(server: ServerConnection, name: string): Promise<Set<string>> {
  const answer = await server.request('GET', `/v2/${name}/tags/list?n=1000`);
  if (answer.status === 404) return new Set();
  assert.equal(answer.status, 200);
  return new Set((JSON.parse(answer.body.toString()) as { tags: string[] }).tags);
}

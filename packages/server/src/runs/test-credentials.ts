import { randomUUID } from 'node:crypto';
import type { RunAccess } from './model.ts';
import type { RunCredentials } from './runs-context.ts';

/**
 * Credentials as access makes them, whose passwords name their runs.
 * @param made gets what runs may do, by run, and loses it when a key ends
 */
export function testCredentials(made = new Map<string, readonly RunAccess[]>()): RunCredentials {
  const runs = new Map<string, string>();
  return {
    makeRunCredential: (registry, { runId, access, expiresAt }) => {
      const id = randomUUID();
      runs.set(id, runId);
      made.set(runId, access);
      return {
        username: '$run',
        password: `of ${runId}`,
        key: {
          id,
          registry_id: registry.id,
          kind: 'run',
          name: runId,
          verifier: 'none',
          agent_pool: null,
          is_shared: 0,
          access: JSON.stringify(access),
          created_at: 0,
          expires_at: expiresAt,
        },
      };
    },
    forgetRunCredential: (_registryId, keyId) => void made.delete(runs.get(keyId) ?? ''),
  };
}

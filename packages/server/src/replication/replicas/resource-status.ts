import type { ReplicaStatus } from '@berth/api';

/** How long a new region may take to answer for the first time before its replication counts as failed. */
const patienceMs = 120_000;

/**
 * ARM's word for how far the making of a replication is (acr-api 3.1). Once a region knows of everything it serves everything,
 * reading through to others for what is not yet there; so it is made then, though bytes may still be on their way.
 */
export function provisioningState(status: ReplicaStatus, { ageMs }: { readonly ageMs: number }): string {
  const { isHome, state, feeds, problem } = status;
  if (isHome || feeds.some((feed) => feed.state === 'following')) return 'Succeeded';
  // It said itself that it cannot; what only keeps it from reading another region may pass.
  if (problem !== null && state === 'failed') return 'Failed';
  if (ageMs < patienceMs || state === 'syncing' || state === 'ready') return 'Creating';
  // Whether it is new cannot be told of a region that does not answer.
  return state === 'failed' ? 'Failed' : 'Succeeded';
}

const words = { ready: 'Ready', syncing: 'Syncing', unreachable: 'Unreachable', failed: 'Failed' } as const;

/** `status` of a replication as clients see it (acr-api 3.3): what is there, what is missing, and what to do. */
export function resourceStatus(
  status: ReplicaStatus,
  now: number,
): { readonly displayStatus: string; readonly message: string; readonly timestamp: string } {
  return { displayStatus: words[status.state], message: messageOf(status), timestamp: new Date(now).toISOString() };
}

function messageOf({ state, isHome, manifests, bytes, feeds, problem, remedy }: ReplicaStatus): string {
  const said: string[] = [];
  if (state !== 'unreachable') {
    const total = manifests.complete + manifests.pending;
    said.push(`${manifests.complete} of ${total} manifests are complete`);
    if (bytes.pending > 0) said.push(`${bytes.copied} of ${bytes.copied + bytes.pending} bytes are copied`);
    const lags = feeds.flatMap(({ region, lagSeconds }) =>
      lagSeconds === null ? [] : [`${Math.ceil(lagSeconds)} s behind ${region}`],
    );
    if (lags.length > 0 && !isHome) said.push(lags.join(', '));
  }
  const causes = [{ problem, remedy }, ...feeds].filter((each) => each.problem !== null);
  for (const cause of causes) said.push(cause.remedy === null ? `${cause.problem}` : `${cause.problem}: ${cause.remedy}`);
  return `${said.join('; ')}.`;
}

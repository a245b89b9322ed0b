import type { AuditEvent } from './model.ts';

/**
 * Gathers pulls that differ in nothing but the request: a cluster that starts pulls the same image from every node, and
 * a line each would cost more than the pulls.
 */
export class EqualPulls {
  readonly #first = new Map<string, AuditEvent>();

  /** Adds a pull to an equal one that waits; false when there is none. */
  join(event: AuditEvent): boolean {
    const first = this.#first.get(keyOf(event));
    if (first === undefined) return false;
    first.count += 1;
    first.time = event.time;
    return true;
  }

  /** Later pulls may join this one, which waits. */
  begin(event: AuditEvent): void {
    this.#first.set(keyOf(event), event);
  }

  /** What waited is being written: it must not change any more. */
  clear(): void {
    this.#first.clear();
  }
}

function keyOf(event: AuditEvent): string {
  const { registry_id, repository, tag, digest, identity_id, caller_address, user_agent, result } = event;
  // A tag's digest is the same until it moves, and then a line of its own tells so.
  return `${registry_id} ${repository ?? ''} ${tag ?? ''} ${digest ?? ''} ${identity_id} ${caller_address} ${result} ${user_agent}`;
}

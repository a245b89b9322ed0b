import { createHash } from 'node:crypto';
import type { FactRequest } from '@berth/api';
import { timeOf } from '../changes/index.ts';
import type { WebhookAction } from './model.ts';

/**
 * The bodies that ACR sends (acr-api 5.2; Microsoft's "Azure Container Registry webhook reference"), in the order of their
 * members.
 */
export interface Payload {
  readonly id: string;
  readonly timestamp: string;
  readonly action: WebhookAction | 'ping';
  readonly target?: Readonly<Record<string, string | number>>;
  readonly request?: Readonly<Record<string, string>>;
}

/** Something that happened, of which webhooks may be told. */
export interface Happening {
  readonly action: WebhookAction;
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
  readonly mediaType?: string | undefined;
  readonly sizeBytes?: number | undefined;
  /** A hybrid logical clock (`changes/model.ts`): when it was done first. */
  readonly clock: number;
  /** Who asked for it; undefined: the registry itself did it. */
  readonly request: FactRequest | undefined;
}

export function payloadOf(
  happening: Happening,
  { id, loginServer }: { readonly id: string; readonly loginServer: string },
): Payload {
  const { action, clock } = happening;
  const isChart = action === 'chart_push' || action === 'chart_delete';
  const head = { id, timestamp: timestampOf(clock, isChart ? 7 : 9), action };
  if (isChart) return { ...head, target: chartTarget(happening) };
  return { ...head, target: targetOf(happening), request: requestOf(happening, id, loginServer) };
}

/** An event that means nothing: the receiver is there. */
export function pingPayload(id: string, now: number): Payload {
  return { id, timestamp: timestampOf(now * 1024, 7), action: 'ping' };
}

function targetOf(happening: Happening): Readonly<Record<string, string | number>> {
  const { action, repository, tag, digest, mediaType, sizeBytes } = happening;
  const type = mediaType === undefined ? {} : { mediaType };
  const what = digest === undefined ? {} : { digest };
  const named = tag === undefined ? {} : { tag };
  if (action === 'delete') return { ...type, ...what, repository };
  if (action === 'untag') return { ...what, repository, ...named };
  const size = sizeBytes === undefined ? {} : { size: sizeBytes };
  const length = sizeBytes === undefined ? {} : { length: sizeBytes };
  return { ...(action === 'push' ? type : {}), ...size, ...what, ...length, repository, ...named };
}

/**
 * ACR raises these for its old chart repositories, and `push` for charts that are artifacts. Here artifacts are all there is:
 * the chart is called as its repository, its version is its tag, where "_" stands for "+" (helm.sh, "Use OCI-based registries").
 */
function chartTarget({ repository, tag, digest, sizeBytes }: Happening): Readonly<Record<string, string | number>> {
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const version = tag === undefined ? undefined : `${tag.replaceAll('_', '+')}.tgz`;
  return {
    mediaType: 'application/vnd.acr.helm.chart',
    ...(sizeBytes !== undefined && { size: sizeBytes }),
    ...(digest !== undefined && { digest }),
    repository,
    ...(version !== undefined && { tag: `${name}-${version}` }),
    name,
    ...(version !== undefined && { version }),
  };
}

/** What the registry does by itself has no request: consumers read `host` all the same. */
function requestOf({ action, request }: Happening, id: string, loginServer: string): Readonly<Record<string, string>> {
  const isRemoval = action === 'delete' || action === 'untag';
  const asked = request ?? { id, host: loginServer, method: isRemoval ? 'DELETE' : 'PUT', useragent: 'berth' };
  const { host, method, useragent } = asked;
  return action === 'quarantine' ? { id: asked.id, host, method } : { id: asked.id, host, method, useragent };
}

const ticksPerMs = 1024;

/** RFC 3339 with as many digits of a second; what a clock counts within a millisecond comes out as different times. */
function timestampOf(clock: number, digits: 7 | 9): string {
  const within = Math.floor(((clock % ticksPerMs) * 1_000_000) / ticksPerMs);
  const fraction = String(timeOf(clock) % 1000).padStart(3, '0') + String(within).padStart(6, '0');
  return `${new Date(timeOf(clock)).toISOString().slice(0, 19)}.${fraction.slice(0, digits)}Z`;
}

/** A GUID that the same facts always give: an event that is made again is the same one. */
export function eventIdOf(...facts: readonly (string | number)[]): string {
  const hash = createHash('sha256').update(JSON.stringify(facts)).digest();
  // Version 8 of RFC 9562: what is in it is our own matter.
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

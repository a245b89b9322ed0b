import { setTimeout as pause } from 'node:timers/promises';
import { type FeedStatus, type ReplicaStatus, replication } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { plainLine } from '../log-view/plain-line.ts';
import { openScreen } from '../log-view/screen.ts';
import { tableLines } from '../log-view/table.ts';
import { type Output, bytesText, show } from '../output.ts';

interface ReplicationDocument {
  readonly registry: string;
  readonly home: string;
  readonly region: string;
  readonly regions: readonly ReplicaStatus[];
}

const watchMs = 500;
const barWidth = 30;

/** `berth replication status`. */
export async function showReplication(
  connection: Connection,
  output: Output,
  { isWatching }: { readonly isWatching: boolean },
): Promise<void> {
  const found = isWatching ? await watch(connection, output) : await read(connection);
  show(output, found, statusLines(found).map(plainLine).join('\n'));
}

/** `berth replication create`. */
export async function createReplica(
  connection: Connection,
  output: Output,
  wanted: { readonly location: string; readonly isEndpointEnabled: boolean | undefined; readonly isWaiting: boolean },
): Promise<void> {
  const { location, isEndpointEnabled, isWaiting } = wanted;
  const made = await callOperation(connection, replication.putReplica, {
    params: { region: location },
    body: isEndpointEnabled === undefined ? {} : { isEndpointEnabled },
  });
  if (isWaiting) return showReplication(connection, output, { isWatching: true });
  show(output, made, `${location} is made a replica. Next: berth replication status --watch shows how far it is.`);
}

/** `berth replication update`. */
export async function updateReplica(
  connection: Connection,
  output: Output,
  { location, isEndpointEnabled }: { readonly location: string; readonly isEndpointEnabled: boolean },
): Promise<void> {
  const changed = await callOperation(connection, replication.putReplica, {
    params: { region: location },
    body: { isEndpointEnabled },
  });
  show(
    output,
    changed,
    isEndpointEnabled ? `Clients are sent to ${location} again.` : `Clients are no longer sent to ${location}; it stays in sync.`,
  );
}

/** `berth replication delete`. */
export async function deleteReplica(connection: Connection, output: Output, location: string): Promise<void> {
  await callOperation(connection, replication.deleteReplica, { params: { region: location } });
  show(output, { region: location }, `${location} is no replica any more: what it holds is removed there, and stays elsewhere.`);
}

function read(connection: Connection): Promise<ReplicationDocument> {
  return callOperation(connection, replication.showReplication) as Promise<ReplicationDocument>;
}

/** Until every region that can be reached has everything; on a terminal with a bar that moves. */
async function watch(connection: Connection, output: Output): Promise<ReplicationDocument> {
  const screen = openScreen(process.stderr, output.isJson);
  for (;;) {
    const found = await read(connection);
    if (found.regions.every(({ state }) => state !== 'syncing')) {
      screen.status('');
      return found;
    }
    screen.status(progressText(found));
    await pause(watchMs);
  }
}

function progressText({ regions }: ReplicationDocument): string {
  const total = { copied: 0, pending: 0, perSecond: 0, manifests: 0 };
  for (const { bytes, manifests } of regions) {
    total.copied += bytes.copied;
    total.pending += bytes.pending;
    total.perSecond += bytes.perSecond;
    total.manifests += manifests.pending;
  }
  const share = total.pending === 0 ? 0 : total.copied / (total.copied + total.pending);
  const bar = '█'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '░');
  const left = total.perSecond > 0 ? `, ${Math.ceil(total.pending / total.perSecond)} s left` : '';
  return `${bar} ${bytesText(total.pending)} and ${total.manifests} manifests to go, ${bytesText(total.perSecond)}/s${left}`;
}

function statusLines({ registry, home, regions }: ReplicationDocument): readonly string[] {
  if (regions.length < 2)
    return [
      `${registry} is in ${home} alone. Next: berth replication create --location REGION lets another region hold it, too.`,
    ];
  const rows = regions.map((region) => [
    region.isHome ? `${region.region} (home)` : region.region,
    region.state,
    lagText(region),
    String(region.manifests.complete),
    String(region.manifests.pending),
    bytesText(region.bytes.pending),
    region.isEndpointEnabled ? 'yes' : 'no',
    region.endpoint,
  ]);
  const heads = ['region', 'state', 'lag', 'manifests', 'pending', 'to copy', 'routed', 'endpoint'];
  return [...tableLines(heads, rows), ...regions.flatMap(noteLines)];
}

/** The longest of its feeds. */
function lagText({ feeds }: ReplicaStatus): string {
  const known = feeds.flatMap(({ lagSeconds }) => lagSeconds ?? []);
  return known.length === 0 ? '' : `${Math.max(...known).toFixed(1)} s`;
}

function noteLines(region: ReplicaStatus): readonly string[] {
  const own = region.problem === null ? [] : [`${region.region}: ${region.problem}${next(region.remedy)}`];
  const counts = [
    ...(region.conflictsResolved > 0 ? [`${region.conflictsResolved} conflicts were resolved`] : []),
    ...(region.damagedAnswers > 0 ? [`${region.damagedAnswers} damaged answers were refused`] : []),
  ];
  return [
    ...own,
    ...region.feeds.flatMap((feed) => feedLine(region.region, feed)),
    ...(counts.length === 0 ? [] : [`${region.region}: ${counts.join(', ')}`]),
  ];
}

function feedLine(region: string, { region: other, state, problem, remedy, behind }: FeedStatus): readonly string[] {
  if (problem !== null) return [`${region} from ${other}: ${problem}${next(remedy)}`];
  if (state === 'snapshot') return [`${region} reads a snapshot of ${other}`];
  return behind !== null && behind > 0 ? [`${region} is ${behind} changes behind ${other}`] : [];
}

function next(remedy: string | null): string {
  return remedy === null ? '' : `. Next: ${remedy}`;
}

import { cleanup } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { type Output, bytesText } from '../output.ts';

export interface PurgeOptions {
  readonly filter?: readonly string[];
  readonly ago?: string;
  readonly keep?: number;
  readonly untagged?: boolean;
  readonly untaggedOnly?: boolean;
  readonly dryRun?: boolean;
  readonly includeLocked?: boolean;
}

export interface Decision {
  readonly repository: string;
  readonly action: 'untag' | 'delete';
  readonly name: string;
  readonly reason: string;
  readonly sizeBytes: number;
}

export interface Totals {
  readonly tagsRemoved: number;
  readonly manifestsRemoved: number;
  readonly bytesRemoved: number;
  readonly locked: number;
  readonly spared: number;
  readonly failed: number;
}

export interface Sweep extends Totals {
  readonly isDryRun: boolean;
  readonly decisions: readonly Decision[];
  readonly cursor: string | null;
}

/** `berth purge`: asks until the server has gone through everything. Resolves with whether nothing failed. */
export async function purge(connection: Connection, output: Output, options: PurgeOptions): Promise<boolean> {
  const { dryRun = false } = options;
  const body = { ...criteriaOf(options), dryRun };
  return showSweeps(output, dryRun, async (cursor) => {
    const more = cursor === undefined ? {} : { cursor };
    return (await callOperation(connection, cleanup.purge, { body: { ...body, ...more } })) as Sweep;
  });
}

/** The options as the body of a request has them. */
export function criteriaOf({ filter = [], ago, keep, untagged, untaggedOnly, includeLocked }: PurgeOptions): object {
  return {
    filters: filter,
    ...(ago !== undefined && { ago }),
    ...(keep !== undefined && { keep }),
    ...(untagged === true && { untagged }),
    ...(untaggedOnly === true && { untaggedOnly }),
    ...(includeLocked === true && { includeLocked }),
  };
}

/** Shows what each answer brings as it comes, and the totals of all at the end. */
export async function showSweeps(
  output: Output,
  isDryRun: boolean,
  ask: (cursor: string | undefined) => Promise<Sweep>,
): Promise<boolean> {
  if (isDryRun && !output.isJson) output.write('Nothing is deleted: this is what would be.');
  const decisions: Decision[] = [];
  let totals: Totals = { tagsRemoved: 0, manifestsRemoved: 0, bytesRemoved: 0, locked: 0, spared: 0, failed: 0 };
  let listed = 0;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const answer: Sweep = await ask(cursor);
    cursor = answer.cursor;
    totals = sumOf(totals, answer);
    listed += answer.decisions.length;
    if (!output.isJson) for (const decision of answer.decisions) output.write(lineOf(decision));
    else if (decisions.length < maxListed) decisions.push(...answer.decisions);
  }
  if (output.isJson) output.write(JSON.stringify({ isDryRun, decisions, ...totals }));
  else for (const line of summaryOf(totals, isDryRun, listed)) output.write(line);
  return totals.failed === 0;
}

/** Of a registry with millions of tags the first say enough. */
const maxListed = 10_000;

function lineOf({ repository, action, name, reason, sizeBytes }: Decision): string {
  return action === 'untag'
    ? `untag   ${repository}:${name}  ${reason}`
    : `delete  ${repository}@${name}  ${bytesText(sizeBytes)}, ${reason}`;
}

function* summaryOf(totals: Totals, isDryRun: boolean, listed: number): Generator<string> {
  const { tagsRemoved, manifestsRemoved } = totals;
  const more = tagsRemoved + manifestsRemoved - listed;
  if (more > 0) yield `… and ${more} more`;
  yield isDryRun
    ? `${tagsRemoved} tags and ${manifestsRemoved} manifests would go, ${bytesText(totals.bytesRemoved)} at the most.`
    : `${removedText(totals)}.`;
  yield* remarksOn(totals);
}

/** `3 tags and 2 manifests went`… as a sentence without its end. */
export function removedText({ tagsRemoved, manifestsRemoved, bytesRemoved }: Totals): string {
  return `${tagsRemoved} tags and ${manifestsRemoved} manifests deleted; up to ${bytesText(bytesRemoved)} become free with the next garbage collections`;
}

export function* remarksOn({ locked, spared, failed }: Totals): Generator<string> {
  if (locked > 0) yield `${locked} locked items were left.`;
  if (spared > 0) yield `${spared} items were used meanwhile, and stay.`;
  if (failed > 0) yield `${failed} items could not be deleted: see the log of the server, and try again.`;
}

function sumOf(a: Totals, b: Totals): Totals {
  return {
    tagsRemoved: a.tagsRemoved + b.tagsRemoved,
    manifestsRemoved: a.manifestsRemoved + b.manifestsRemoved,
    bytesRemoved: a.bytesRemoved + b.bytesRemoved,
    locked: a.locked + b.locked,
    spared: a.spared + b.spared,
    failed: a.failed + b.failed,
  };
}

import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import type { Decision, Plan, RetentionContext } from './model.ts';
import { type SweepTotals, sweep } from './sweep.ts';

/** A sweep that one request begins and awaits the answer of: bounded, so that it may take several. */
export interface SweepRequest {
  readonly registryId: number;
  readonly planFor: (asOf: number) => Plan;
  readonly isDryRun: boolean;
  readonly assumesUntagged: boolean;
  /** Decisions to name in the answer. */
  readonly limit: number;
  readonly cursor: string | undefined;
  readonly signal: AbortSignal;
}

export interface SweepAnswer extends SweepTotals {
  readonly isDryRun: boolean;
  readonly decisions: readonly Decision[];
  /** Undefined when everything was looked at. */
  readonly cursor: string | undefined;
}

/** Clients wait for a minute. */
const maxDurationMs = 20_000;
const maxRemovals = 10_000;
const maxExamined = 100_000;

export async function sweepForRequest(context: RetentionContext, request: SweepRequest): Promise<SweepAnswer> {
  const { registryId, isDryRun, assumesUntagged, limit, signal } = request;
  const now = context.clock.now();
  const { asOf, place: from }: Partial<Cursor> & { readonly asOf: number } =
    request.cursor === undefined ? { asOf: now } : readCursor(request.cursor, now);
  const decisions: Decision[] = [];
  const { totals, next } = await sweep(context, {
    registryId,
    plan: request.planFor(asOf),
    from,
    isDryRun,
    assumesUntagged,
    continues: (done) =>
      done.examined < maxExamined &&
      done.tagsRemoved + done.manifestsRemoved < maxRemovals &&
      context.clock.now() < now + maxDurationMs,
    onRemoved: (decision) => void (decisions.length < limit && decisions.push(decision)),
    signal,
  });
  return { ...totals, isDryRun, decisions, cursor: next && writeCursor({ asOf, place: next }) };
}

import { enabledRules } from './manage-rules.ts';
import type { RetentionContext } from './model.ts';
import { planCleanup } from './plan-cleanup.ts';
import { type RuleDefinition, parseRule } from './rules.ts';
import { type SweepAnswer, sweepForRequest } from './sweep-request.ts';

export interface PreviewRequest {
  /** By itself; all enabled rules together without. */
  readonly rule?: RuleDefinition;
  readonly limit?: number;
  readonly cursor?: string;
}

const defaultLimit = 100;

/** What rules would remove now. @throws INVALID_PARAMETER */
export async function preview(
  context: RetentionContext,
  { rule, limit = defaultLimit, cursor }: PreviewRequest,
  { registryId, signal }: { readonly registryId: number; readonly signal: AbortSignal },
): Promise<SweepAnswer> {
  const rules = rule === undefined ? await enabledRules(context, registryId) : [parseRule('preview', rule)];
  const { lastPulls, database } = context;
  return sweepForRequest(context, {
    registryId,
    planFor: (asOf) => planCleanup({ db: database.read, rules, lastPulls, asOf, signal }),
    isDryRun: true,
    assumesUntagged: false,
    limit,
    cursor,
    signal,
  });
}

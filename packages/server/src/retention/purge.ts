import { RegistryError } from '../errors/index.ts';
import { parseDuration } from './durations.ts';
import type { RetentionContext } from './model.ts';
import { compileFilter } from './patterns.ts';
import { type PurgeCriteria, planPurge } from './plan-purge.ts';
import { type SweepAnswer, sweepForRequest } from './sweep-request.ts';

/** As the request says it. */
export interface PurgeRequest {
  readonly filters?: readonly string[];
  readonly ago?: string;
  readonly keep?: number;
  readonly untagged?: boolean;
  readonly untaggedOnly?: boolean;
  readonly includeLocked?: boolean;
  readonly dryRun?: boolean;
  readonly cursor?: string;
}

const maxFilters = 50;
const maxListed = 1000;

/** Untags and deletes as `acr purge` does (acr-api 6.8). @throws INVALID_PARAMETER */
export async function purge(
  context: RetentionContext,
  request: PurgeRequest,
  { registryId, signal }: { readonly registryId: number; readonly signal: AbortSignal },
): Promise<SweepAnswer> {
  const criteria = await parsePurge(request);
  return sweepForRequest(context, {
    registryId,
    planFor: (asOf) => planPurge(criteria, asOf),
    isDryRun: request.dryRun === true,
    assumesUntagged: request.dryRun === true,
    limit: maxListed,
    cursor: request.cursor,
    signal,
  });
}

/** @throws INVALID_PARAMETER for what cannot be purged by */
export async function requirePurge(request: PurgeRequest): Promise<void> {
  await parsePurge(request);
}

/** @throws INVALID_PARAMETER */
async function parsePurge(request: PurgeRequest): Promise<PurgeCriteria> {
  const { filters = [], ago, keep = 0, untagged = false, untaggedOnly = false, includeLocked = false } = request;
  if (untagged && untaggedOnly) throw invalid('untagged and untaggedOnly exclude each other: choose one', 'untaggedOnly');
  if (filters.length > maxFilters) throw invalid(`${filters.length} filters are too many, ${maxFilters} at the most`, 'filters');
  if (!untaggedOnly && filters.length === 0)
    throw invalid('a purge needs a filter such as app/.*:v.*, unless it is about untagged manifests only', 'filters');
  if (!untaggedOnly && ago === undefined) throw invalid('a purge of tags needs their age: give ago, such as 30d', 'ago');
  return {
    filters: await Promise.all(filters.map(compileFilter)),
    agoMs: ago === undefined ? 0 : parseDuration(ago, 'ago'),
    ago,
    keep,
    isUntagged: untagged,
    isUntaggedOnly: untaggedOnly,
    takesLocked: includeLocked,
  };
}

function invalid(message: string, target: string): RegistryError {
  return new RegistryError('INVALID_PARAMETER', { message, target });
}

import { type AttributeFlags, attributesOf } from '../../repositories/index.ts';
import { quarantineStateOf } from '../life.ts';
import type { ManifestRecord, RepositoryFacts, TagFacts } from './queries.ts';
import type { ManifestDescription } from './describe-manifest.ts';

/** The JSON of `/acr/v1` (acr-api 1.7, "Models"). */

export function repositoryDocument(facts: RepositoryFacts): object {
  return {
    createdTime: timeText(facts.created_at),
    lastUpdateTime: timeText(facts.updated_at),
    manifestCount: facts.manifest_count,
    tagCount: facts.tag_count,
    changeableAttributes: attributesOf(facts),
  };
}

export function tagDocument(tag: TagFacts): object {
  return {
    name: tag.name,
    digest: tag.digest,
    ...timesOf(tag.created_at, tag),
    signed: tag.is_signed === 1,
    changeableAttributes: attributesOf(tag),
  };
}

export interface ManifestTold {
  readonly description: ManifestDescription;
  readonly tags: readonly string[];
  readonly isQuarantineEnabled: boolean;
}

export function manifestDocument(record: ManifestRecord, told: ManifestTold): object {
  const { description, tags, isQuarantineEnabled } = told;
  const quarantineState = quarantineStateOf(record.quarantine_state, isQuarantineEnabled);
  return {
    digest: record.digest,
    mediaType: record.media_type,
    ...description,
    ...timesOf(record.pushed_at, record),
    ...(tags.length > 0 && { tags }),
    changeableAttributes: {
      ...attributesOf(record),
      ...(quarantineState !== undefined && { quarantineState }),
      ...(record.quarantine_details !== null && { quarantineDetails: record.quarantine_details }),
    },
  };
}

function timesOf(createdAt: number, { updated_at }: AttributeFlags & { readonly updated_at: number }): object {
  return { createdTime: timeText(createdAt), lastUpdateTime: timeText(updated_at) };
}

/** RFC 3339 in UTC with seven digits, as ACR writes them. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '0000Z');
}

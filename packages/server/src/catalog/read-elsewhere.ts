import { parseReference } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { requireReadable } from '../repositories/index.ts';
import type { CatalogContext, ManifestElsewhere } from './catalog-context.ts';
import type { OpenedManifest } from './manifest-cache.ts';
import { isBlocked } from './life.ts';
import type { FoundManifest } from './queries.ts';
import { type WantedManifest, headersOf, quarantined, requireManifest } from './read-manifest.ts';

export interface ManifestAnywhere extends WantedManifest {
  /** Other regions hold the registry, too. */
  readonly isReplicated: boolean;
}

/** Either complete here, or opened already. */
export type AnyManifest = { readonly here: FoundManifest } | { readonly elsewhere: OpenedManifest & { readonly digest: string } };

/**
 * What a client asks for, wherever it is: what a tag was set to last goes before what is complete here, and what is missing here is
 * asked for in other regions. @throws as `requireManifest`
 */
export async function requireAnywhere(context: CatalogContext, wanted: ManifestAnywhere): Promise<AnyManifest> {
  const { elsewhere } = context;
  if (!wanted.isReplicated || elsewhere === undefined) return { here: await requireManifest(context, wanted) };
  const newer = wanted.reference.includes(':') ? undefined : await elsewhere.newer(wanted);
  if (newer !== undefined) return { elsewhere: admit(wanted, newer) };
  try {
    return { here: await requireManifest(context, wanted) };
  } catch (error) {
    if (!(error instanceof RegistryError) || !missing.has(error.error)) throw error;
    const found = await elsewhere.missing(wanted);
    // It may have become complete meanwhile.
    return found === undefined ? { here: await requireManifest(context, wanted) } : { elsewhere: admit(wanted, found) };
  }
}

const missing: ReadonlySet<string> = new Set(['MANIFEST_UNKNOWN', 'NAME_UNKNOWN']);

/** By the same rules as what is here. @throws MANIFEST_UNKNOWN, REGISTRY_DISALLOWED_OPERATION */
function admit(
  { repository, reference, hidesQuarantined }: WantedManifest,
  { digest, mediaType, bytes, isReadable, verdict }: ManifestElsewhere,
): OpenedManifest & { readonly digest: string } {
  if (isBlocked(verdict, hidesQuarantined)) throw quarantined(repository, parseReference(reference));
  requireReadable({ read_enabled: isReadable ? 1 : 0 }, `the manifest ${reference} of ${repository}`);
  return { digest, mediaType, content: bytes, headers: headersOf({ digest, media_type: mediaType }) };
}

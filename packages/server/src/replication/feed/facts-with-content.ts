import type { Fact } from '@berth/api';
import { isLater } from '../../changes/index.ts';
import type { ManifestForRegion } from '../../catalog/index.ts';
import type { FeedContext } from './feed-context.ts';

/** Larger manifests are asked for one by one. */
const maxBytesEach = 256 * 1024;
/** Of a page: to parse it must not hold up the other side's event loop. */
const maxBytesPerPage = 1024 * 1024;

export interface FactsWithContent {
  readonly facts: readonly Fact[];
  /** From here on manifests are without their bytes, though they are small enough; undefined: none is. */
  readonly firstLeftOut: number | undefined;
}

/** Adds to each manifest that is told of as there what it takes to serve it. `isKnown`: whoever is told has the manifest already. */
export async function factsWithContent(
  { catalog }: Pick<FeedContext, 'catalog'>,
  registryId: number,
  facts: readonly Fact[],
  isKnown: (fact: Fact) => boolean = () => false,
): Promise<FactsWithContent> {
  const isWanted = (fact: Fact): boolean => hasContent(fact) && !isKnown(fact);
  const wanted = Map.groupBy(facts.filter(isWanted), ({ repository }) => repository);
  const found = new Map<string, ReadonlyMap<string, ManifestForRegion>>();
  let budgetBytes = maxBytesPerPage;
  for (const [repository, manifests] of wanted) {
    const digests = [...new Set(manifests.map(({ name }) => name))];
    const opened = await catalog.forRegion({ registryId, repository, digests, maxBytes: maxBytesEach, budgetBytes });
    for (const { bytes } of opened.values()) budgetBytes -= bytes?.length ?? 0;
    found.set(repository, opened);
  }
  const contentOf = (fact: Fact): ManifestForRegion | undefined =>
    isWanted(fact) ? found.get(fact.repository)?.get(fact.name) : undefined;
  const firstLeftOut = facts.findIndex((fact) => contentOf(fact)?.isLeftOut === true);
  return {
    facts: facts.map((fact) => withContent(fact, contentOf(fact))),
    firstLeftOut: firstLeftOut === -1 ? undefined : firstLeftOut,
  };
}

function hasContent({ kind, set, deleted }: Fact): boolean {
  return kind === 'manifest' && set !== undefined && (deleted === undefined || isLater(set, deleted));
}

function withContent(fact: Fact, manifest: ManifestForRegion | undefined): Fact {
  if (manifest === undefined) return fact;
  const { mediaType, sizeBytes, bytes } = manifest;
  const sent = bytes === undefined ? {} : { bytes: bytes.toString('base64') };
  return { ...fact, content: { ...fact.content, mediaType, sizeBytes, ...sent } };
}

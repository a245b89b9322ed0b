import { type SnapshotRead, readSnapshot } from '../../changes/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { factsWithContent } from './facts-with-content.ts';
import type { FeedContext } from './feed-context.ts';

/** A page of everything that is known of the content of a registry, with the bytes of manifests. @throws CURSOR_UNKNOWN, UNAVAILABLE */
export async function tellSnapshot(
  context: FeedContext,
  registry: Registry,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<SnapshotRead> {
  const wanted = { registryId: registry.id, after, now: context.clock.now() };
  const page = await readSnapshot(context.database, { ...wanted, limit });
  const { facts, firstLeftOut } = await factsWithContent(context, registry.id, page.facts);
  if (firstLeftOut === undefined) return { ...page, facts };
  // A shorter page: the rest comes with the next.
  const shorter = await readSnapshot(context.database, { ...wanted, limit: Math.max(1, firstLeftOut) });
  const byName = new Map(facts.map((fact) => [nameOf(fact), fact.content]));
  return {
    ...shorter,
    // The older one: what was written between the two reads is told twice rather than never.
    cursor: page.cursor,
    total: page.total,
    facts: shorter.facts.map((fact) => {
      const content = byName.get(nameOf(fact));
      return content === undefined ? fact : { ...fact, content };
    }),
  };
}

function nameOf({ kind, repository, name }: SnapshotRead['facts'][number]): string {
  return `${kind} ${repository} ${name}`;
}

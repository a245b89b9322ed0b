import { type ReadQueries, prepareRead } from '../../platform/database/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { type StoredProperties, factsOf } from '../callback.ts';
import { type WebhookFacts, isAt, webhookCollection } from '../model.ts';
import { type Scope, parseScope } from '../scope.ts';

/** A webhook, ready to be told. */
export interface KnownWebhook extends WebhookFacts {
  readonly name: string;
  /** This region sends its events. */
  readonly isHere: boolean;
  readonly parsedScope: Scope;
  readonly properties: StoredProperties;
}

const webhookRows = prepareRead<
  { registryId: number },
  { readonly name: string; readonly location: string | null; readonly properties: string }
>((db, { registryId }) =>
  db
    .selectFrom('resources')
    .select(['name', 'location', 'properties'])
    .where('registry_id', '=', registryId)
    .where('kind', '=', webhookCollection),
);

/** The webhooks of a registry, of whatever region and status; a plan bounds how many there are. */
export async function webhooksOf(db: ReadQueries, registry: Registry, region: string): Promise<readonly KnownWebhook[]> {
  const rows = await webhookRows.all(db, { registryId: registry.id });
  return rows.map(({ name, location, properties: text }) => {
    // The text is ours.
    const properties = JSON.parse(text) as StoredProperties;
    const facts = factsOf(name, properties);
    // A scope that an earlier version took, and that this one does not know, is about nothing.
    const parsedScope = parseScope(facts.scope) ?? { repository: facts.scope, isPrefix: false, tag: 'latest' };
    return { ...facts, name, isHere: isAt(location, region, registry.homeRegion), properties, parsedScope };
  });
}

import { type ReadQueries, prepareRead } from '../../platform/database/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { type StoredProperties, factsOf } from '../callback.ts';
import { type WebhookFacts, isAt, webhookCollection } from '../model.ts';
import { type Scope, parseScope } from '../scope.ts';

/** A webhook whose events this region sends. */
export interface WebhookHere extends WebhookFacts {
  readonly name: string;
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

/** The webhooks of a registry that belong to this region, enabled or not; a plan bounds how many there are. */
export async function webhooksHere(db: ReadQueries, registry: Registry, region: string): Promise<readonly WebhookHere[]> {
  const rows = await webhookRows.all(db, { registryId: registry.id });
  return rows
    .filter(({ location }) => isAt(location, region, registry.homeRegion))
    .map(({ name, properties: text }) => {
      // The text is ours.
      const properties = JSON.parse(text) as StoredProperties;
      const facts = factsOf(name, properties);
      // A scope that an earlier version took, and that this one does not know, is about nothing.
      const parsedScope = parseScope(facts.scope) ?? { repository: facts.scope, isPrefix: false, tag: 'latest' };
      return { ...facts, name, properties, parsedScope };
    });
}

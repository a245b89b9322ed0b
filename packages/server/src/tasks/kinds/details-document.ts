import type { Child } from '../../resources/index.ts';
import type { Registry } from '../../tenancy/index.ts';

/** A child as `listDetails` shows it: the same document as always, with more in its properties. */
export function detailsDocument(
  collection: string,
  { resourceId }: Registry,
  { name, location, tags }: Child,
  more: Readonly<Record<string, unknown>>,
): object {
  return {
    id: `${resourceId}/${collection}/${name}`,
    name,
    type: `Microsoft.ContainerRegistry/registries/${collection}`,
    ...(location !== null && { location, tags }),
    ...more,
  };
}

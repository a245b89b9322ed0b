import { Type } from '../schema.ts';

/** Words that the operations of the resource manager share. */

export const subscription = '/subscriptions/{subscriptionId}';
export const group = `${subscription}/resourceGroups/{resourceGroupName}`;
export const provider = 'providers/Microsoft.ContainerRegistry';
export const registry = `${group}/${provider}/registries/{registryName}` as const;
export const registryType = 'Microsoft.ContainerRegistry/registries';

export const resource = Type.Object({
  id: Type.String(),
  name: Type.String(),
  type: Type.String(),
  properties: Type.Optional(Type.Object({})),
});
export const list = Type.Object({ value: Type.Array(Type.Object({})), nextLink: Type.Optional(Type.String()) });
export const version = Type.Object({ 'api-version': Type.String({ description: 'any; newer fields are simply there' }) });
export const common = ['UNAUTHORIZED', 'DENIED', 'MISSING_API_VERSION', 'SUBSCRIPTION_NOT_FOUND'] as const;
export const ofRegistry = [...common, 'RESOURCE_GROUP_NOT_FOUND', 'RESOURCE_NOT_FOUND'] as const;

export const signedIn = { kind: 'management' } as const;
export const may = <Action extends string>(action: Action) => ({ kind: 'resource', action }) as const;

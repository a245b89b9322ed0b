import { cloud } from '@berth/api';
import type { Route, RouteRequest } from '../http/route.ts';
import type { ArmContext } from './arm-context.ts';

/** `GET /metadata/endpoints`: where everything is, in the shape that the version of the client reads (acr-api 7.1, 7.10). */
export function metadataRoutes(context: ArmContext): readonly Route[] {
  return [
    {
      operation: cloud.getMetadata,
      handle: async (request) => {
        const version = request.query.get('api-version') ?? '';
        const json = version < '2018' ? oldShape(request) : newShape(context, request);
        // The newest clients read one object, those between 2018 and 2021 a list of clouds.
        return { status: 200, body: { json: version >= '2018' && version < '2022' ? [json] : json } };
      },
    },
  ];
}

function oldShape({ origin }: RouteRequest): object {
  return {
    galleryEndpoint: `${origin}/`,
    graphEndpoint: `${origin}/`,
    portalEndpoint: `${origin}/`,
    authentication: { loginEndpoint: `${origin}/adfs`, audiences: [`${origin}/`] },
  };
}

function newShape({ registries }: ArmContext, { origin }: RouteRequest): object {
  const { local, ids } = registries;
  const { hostname } = new URL(origin);
  return {
    name: 'Berth',
    portal: `${origin}/`,
    resourceManager: origin,
    authentication: {
      loginEndpoint: `${origin}/adfs`,
      audiences: [`${origin}/`],
      tenant: ids.tenantId,
      identityProvider: 'ADFS',
    },
    graph: `${origin}/`,
    graphAudience: `${origin}/`,
    microsoftGraphResourceId: `${origin}/`,
    gallery: `${origin}/`,
    media: `${origin}/`,
    batch: `${origin}/`,
    sqlManagement: `${origin}/`,
    activeDirectoryDataLake: `${origin}/`,
    // A client puts the name of a registry before it; the default registry answers under the plain host, too.
    suffixes: { acrLoginServer: `.${local.loginServer}`, storage: hostname, keyVaultDns: `.vault.${hostname}` },
  };
}

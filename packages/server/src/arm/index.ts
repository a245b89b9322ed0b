import type { Route } from '../http/route.ts';
import type { ArmContext } from './arm-context.ts';
import { blobRoutes } from './blob-routes.ts';
import { childRoutes } from './child-routes.ts';
import { importRoutes } from './import-routes.ts';
import { metadataRoutes } from './metadata-routes.ts';
import { credentialRoutes } from './credential-routes.ts';
import { providerRoutes } from './provider-routes.ts';
import { registryRoutes } from './registry-routes.ts';
import { roleRoutes } from './role-routes.ts';
import { runRoutes } from './run-routes.ts';
import { treeRoutes } from './tree-routes.ts';
import { usageRoutes } from './usage-routes.ts';

/** The resource manager: what `az`, the management SDKs and scripts against ARM call (acr-api 3, 7). */
export function armRoutes(context: ArmContext): readonly Route[] {
  return [
    ...metadataRoutes(context),
    ...treeRoutes(context),
    ...providerRoutes(context),
    ...registryRoutes(context),
    ...credentialRoutes(context),
    ...usageRoutes(context),
    ...importRoutes(context),
    ...roleRoutes(context),
    ...runRoutes(context),
    ...blobRoutes(context),
    ...childRoutes(context),
  ];
}

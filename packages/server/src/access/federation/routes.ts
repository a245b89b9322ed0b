import { identities as operations } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import { readJson } from '../../http/read-body.ts';
import type { Route } from '../../http/route.ts';
import { distrustIssuer, showIssuers, trustIssuer } from './manage-issuers.ts';
import type { FederationContext } from './sign-in-federated.ts';

/** Whose tokens are read, for the operator. */
export function issuerRoutes(context: FederationContext): readonly Route[] {
  const headers = { 'Cache-Control': 'no-store' };
  return [
    {
      operation: operations.addIssuer,
      handle: async (request) => {
        const { issuer, jwks } = await readJson(request, operations.addIssuer.body);
        return { status: 200, headers, body: { json: await trustIssuer(context, { issuer, jwks }) } };
      },
    },
    {
      operation: operations.listIssuers,
      handle: async () => ({ status: 200, headers, body: { json: await showIssuers(context) } }),
    },
    {
      operation: operations.removeIssuer,
      handle: async ({ query }) => {
        const issuer = query.get('issuer');
        if (issuer === null)
          throw new RegistryError('INVALID_PARAMETER', { message: 'say which issuer: ?issuer=…', target: 'issuer' });
        await distrustIssuer(context, issuer);
        return { status: 204 };
      },
    },
  ];
}

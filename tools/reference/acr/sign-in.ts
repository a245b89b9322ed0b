import { type AcrGroup, differs, works } from './entry.ts';

const principals = 'service principals only: by secret, or by the token of a trusted issuer';

/** ACR's own token endpoints, and what clients ask of the cloud and of the authority before they come to ACR. */
export const signIn: AcrGroup = {
  title: 'Sign-in',
  operations: [
    differs(
      'POST /oauth2/exchange',
      'exchange-token',
      'takes the tokens of every issuer that is trusted; the deprecated grant `refresh_token` is refused',
    ),
    works('POST /oauth2/token', 'post-token'),
    works('GET /oauth2/token', 'get-token'),
    works('GET /metadata/endpoints', 'get-cloud-metadata'),
    works('GET /adfs/.well-known/openid-configuration', 'get-authority'),
    works('GET /adfs/adfs/.well-known/openid-configuration', 'get-authority-of-adfs-tenant'),
    works('GET /{tenant}/v2.0/.well-known/openid-configuration', 'get-tenant-authority'),
    works('GET /adfs/discovery/keys', 'get-signing-keys'),
    differs('POST /adfs/oauth2/token', 'sign-in-adfs', principals),
    differs('POST /{tenant}/oauth2/v2.0/token', 'sign-in-tenant-v2', principals),
    differs('POST /{tenant}/oauth2/token', 'sign-in-tenant-v1', principals),
  ],
};

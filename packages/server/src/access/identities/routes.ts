import { identities as operations } from '@berth/api';
import { nextLink, parsePage } from '../../http/paging.ts';
import { readJson } from '../../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import { assignRole, removeRole, showRoles } from './assign-roles.ts';
import type { DirectoryContext } from './directory-context.ts';
import { addIdentity, describeIdentity, removeIdentity, setEnabled, showIdentity } from './manage-identities.ts';
import { makeSecret, removeSecret, showSecrets } from './manage-secrets.ts';
import { identitiesAfter } from './queries.ts';
import { removeCredential, showCredential, trustTokens } from './trust-tokens.ts';

const gone: Reply = { status: 204 };

/** The directory, for the operator. */
export function identityRoutes(context: DirectoryContext): readonly Route[] {
  return [...ofIdentities(context), ...ofSecrets(context), ...ofCredentials(context), ...ofRoles(context)];
}

function ofIdentities(context: DirectoryContext): readonly Route[] {
  return [
    {
      operation: operations.createIdentity,
      handle: async (request) => {
        const { name } = await readJson(request, operations.createIdentity.body);
        return answer(await addIdentity(context, name), 201);
      },
    },
    { operation: operations.listIdentities, handle: (request) => list(context, request) },
    {
      operation: operations.getIdentity,
      handle: async ({ params }) => answer(await showIdentity(context, params['identity'] ?? '')),
    },
    {
      operation: operations.updateIdentity,
      handle: async (request) => {
        const { isEnabled } = await readJson(request, operations.updateIdentity.body);
        return answer(await setEnabled(context, request.params['identity'] ?? '', isEnabled));
      },
    },
    {
      operation: operations.deleteIdentity,
      handle: async ({ params }) => {
        await removeIdentity(context, params['identity'] ?? '');
        return gone;
      },
    },
  ];
}

function ofSecrets(context: DirectoryContext): readonly Route[] {
  return [
    {
      operation: operations.addSecret,
      handle: async (request) => {
        const { expiresAt } = await readJson(request, operations.addSecret.body);
        return answer(await makeSecret(context, request.params['identity'] ?? '', expiresAt), 201);
      },
    },
    {
      operation: operations.listSecrets,
      handle: async ({ params }) => answer(await showSecrets(context, params['identity'] ?? '')),
    },
    {
      operation: operations.deleteSecret,
      handle: async ({ params }) => {
        await removeSecret(context, params['identity'] ?? '', params['secret'] ?? '');
        return gone;
      },
    },
  ];
}

function ofCredentials(context: DirectoryContext): readonly Route[] {
  const namesOf = ({ params }: RouteRequest): [string, string] => [params['identity'] ?? '', params['credential'] ?? ''];
  return [
    {
      operation: operations.putFederatedCredential,
      handle: async (request) => {
        const { issuer, audiences, claims } = await readJson(request, operations.putFederatedCredential.body);
        const [identity, name] = namesOf(request);
        // The schema says that each value is a text.
        const rule = { issuer, audiences, claims: claims as Readonly<Record<string, string>> };
        return answer(await trustTokens(context, { identity, name, rule }));
      },
    },
    {
      operation: operations.getFederatedCredential,
      handle: async (request) => answer(await showCredential(context, ...namesOf(request))),
    },
    {
      operation: operations.deleteFederatedCredential,
      handle: async (request) => {
        await removeCredential(context, ...namesOf(request));
        return gone;
      },
    },
  ];
}

function ofRoles(context: DirectoryContext): readonly Route[] {
  const namesOf = ({ params }: RouteRequest): [string, string] => [params['identity'] ?? '', params['assignment'] ?? ''];
  return [
    {
      operation: operations.putRole,
      handle: async (request) => {
        const wanted = await readJson(request, operations.putRole.body);
        const [identity, id] = namesOf(request);
        return answer(await assignRole(context, { identity, id, wanted }));
      },
    },
    {
      operation: operations.listRoles,
      handle: async ({ params }) => answer(await showRoles(context, params['identity'] ?? '')),
    },
    {
      operation: operations.deleteRole,
      handle: async (request) => {
        await removeRole(context, ...namesOf(request));
        return gone;
      },
    },
  ];
}

async function list({ database }: DirectoryContext, { query }: RouteRequest): Promise<Reply> {
  const page = parsePage(query);
  const found = await identitiesAfter(database.read, { after: page.last ?? '', limit: page.limit + 1 });
  const shown = found.slice(0, page.limit);
  const last = shown.at(-1)?.name;
  const headers = found.length > shown.length && last !== undefined ? nextLink('/berth/v1/identities', page, last) : {};
  return { ...answer({ identities: shown.map(describeIdentity) }), headers: { 'Cache-Control': 'no-store', ...headers } };
}

function answer(json: unknown, status = 200): Reply {
  return { status, headers: { 'Cache-Control': 'no-store' }, body: { json } };
}

import { Type } from '../schema.ts';
import type { Operation } from '../operation.ts';
import { common, group, list, may, registry, subscription, version } from './arm-words.ts';

/** Who may what, in the resource manager's words: Azure's role assignments (acr-api 2.7). */

const authorization = 'Microsoft.Authorization';
const source = 'Azure Resource Manager, Microsoft.Authorization';
const shown = { 200: { description: 'the assignment', schema: Type.Object({}) } };
const body = Type.Object({ properties: Type.Object({}) });

/** The same operations at every scope that can be named in a path. */
function roleOperations(
  scope: string,
  word: string,
): Readonly<Record<'list' | 'get' | 'put' | 'delete' | 'definitions', Operation>> {
  const all = `${scope}/providers/${authorization}/roleAssignments`;
  const one = `${all}/{assignmentName}`;
  const action = (verb: string) => may(`${authorization}/roleAssignments/${verb}`);
  return {
    list: {
      id: `arm-list-role-assignments-of-${word}`,
      method: 'GET',
      path: all,
      source,
      permission: action('read'),
      query: version,
      summary: `Lists the role assignments that reach a ${word}; \`$filter\` may be \`atScope()\` or name a principal.`,
      responses: { 200: { description: 'the assignments', schema: list } },
      errors: common,
    },
    get: {
      id: `arm-get-role-assignment-of-${word}`,
      method: 'GET',
      path: one,
      source,
      permission: action('read'),
      query: version,
      summary: `Describes a role assignment at a ${word}.`,
      responses: shown,
      errors: [...common, 'RESOURCE_NOT_FOUND'],
    },
    put: {
      id: `arm-put-role-assignment-of-${word}`,
      method: 'PUT',
      path: one,
      source,
      permission: action('write'),
      query: version,
      body,
      summary: `Gives an identity a role at a ${word}.`,
      responses: { 201: { description: 'given', schema: Type.Object({}) } },
      errors: [...common, 'INVALID_PARAMETER', 'CONFLICT'],
    },
    delete: {
      id: `arm-delete-role-assignment-of-${word}`,
      method: 'DELETE',
      path: one,
      source,
      permission: action('delete'),
      query: version,
      summary: `Takes a role at a ${word} away.`,
      responses: { 200: { description: 'taken away', schema: Type.Object({}) }, 204: { description: 'there was none' } },
      errors: common,
    },
    definitions: {
      id: `arm-list-role-definitions-of-${word}`,
      method: 'GET',
      path: `${scope}/providers/${authorization}/roleDefinitions`,
      source,
      permission: { kind: 'management' },
      query: version,
      summary: "Lists the roles that can be given; `$filter` may be `roleName eq 'AcrPull'`.",
      responses: { 200: { description: 'the roles', schema: list } },
      errors: common,
    },
  };
}

/** By scope. */
export const roles = {
  subscription: roleOperations(subscription, 'subscription'),
  group: roleOperations(group, 'group'),
  registry: roleOperations(registry, 'registry'),
} as const;

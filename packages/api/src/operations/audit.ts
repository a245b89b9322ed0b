import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

const nullable = Type.Union([Type.String(), Type.Null()]);

export const listEvents = defineOperation({
  id: 'list-audit-events',
  method: 'GET',
  path: '/berth/v1/audit',
  source: 'Berth; the columns of ACR (acr-api 6.16)',
  permission: { kind: 'operator' },
  summary: 'Lists who did what in the registry, the newest first.',
  query: Type.Object({
    from: Type.Optional(Type.String({ description: 'a time' })),
    to: Type.Optional(Type.String({ description: 'a time' })),
    operation: Type.Optional(Type.String({ description: 'such as Push' })),
    repository: Type.Optional(Type.String()),
    identity: Type.Optional(Type.String()),
    n: Type.Optional(Type.String({ description: 'how many entries at the most' })),
    last: Type.Optional(Type.String({ description: 'of Link headers' })),
  }),
  responses: {
    200: {
      description: 'a page',
      schema: Type.Object({
        events: Type.Array(
          Type.Object({
            time: Type.String(),
            category: Type.String(),
            operationName: Type.String(),
            repository: nullable,
            tag: nullable,
            digest: nullable,
            mediaType: nullable,
            artifactType: nullable,
            size: Type.Union([Type.Integer(), Type.Null()]),
            loginServer: Type.String(),
            region: Type.String(),
            identity: Type.String(),
            identityId: Type.String(),
            userAgent: Type.String(),
            callerIpAddress: Type.String(),
            correlationId: Type.String(),
            durationMs: Type.Integer(),
            resultType: Type.Integer({ description: 'the HTTP status' }),
            resultDescription: Type.String({ description: 'the name of the error, if there was one' }),
            count: Type.Integer({
              description: 'more than 1: so many equal pulls in a busy second; the id and the duration are those of the first',
            }),
          }),
        ),
        last: Type.Union([
          Type.String({
            description: 'the query `last` of the next page; a page may hold less than was asked for although one follows',
          }),
          Type.Null(),
        ]),
      }),
      headers: ['Link'],
    },
  },
  errors: ['REQUEST_INVALID', 'PAGINATION_NUMBER_INVALID'],
});

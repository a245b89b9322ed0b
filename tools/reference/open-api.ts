import type { Operation, OperationResponse } from '@berth/api';
import { describePermission, operationGroups } from './operations.ts';

/** The contract as an OpenAPI 3.1 document. Its schemas are JSON Schema already. */
export function openApiDocument(): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { title, operations } of operationGroups) {
    for (const operation of operations) {
      (paths[operation.path] ??= {})[operation.method.toLowerCase()] = describe(operation, title);
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Berth', version: '1', license: { name: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
      schemas: { Errors: errorsSchema },
    },
  };
}

function describe(operation: Operation, tag: string): unknown {
  const { id, summary, source, permission, path, params, query, body, responses } = operation;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `Needs ${describePermission(permission)}. Rule: ${source}.`,
    security: permission.kind === 'public' ? [] : [{ basic: [] }, { bearer: [] }],
    parameters: [
      ...names.map((name) => ({ name, in: 'path', required: true, schema: params?.properties[name] ?? { type: 'string' } })),
      ...(query === undefined ? [] : queryParameters(query)),
    ],
    ...(body !== undefined && { requestBody: { content: bodyContent(body) } }),
    responses: {
      ...Object.fromEntries(Object.entries(responses).map(([status, response]) => [status, describeResponse(response)])),
      default: { description: 'an error', content: { 'application/json': { schema: { $ref: '#/components/schemas/Errors' } } } },
    },
  };
}

function queryParameters(query: NonNullable<Operation['query']>): readonly unknown[] {
  const required: readonly string[] = query.required ?? [];
  return Object.entries(query.properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function bodyContent(body: NonNullable<Operation['body']>): unknown {
  if (body === 'stream') return { 'application/octet-stream': {} };
  if (body === 'form') return { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } };
  return { 'application/json': { schema: body } };
}

function describeResponse({ description, schema, headers = [] }: OperationResponse): unknown {
  return {
    description,
    ...(headers.length > 0 && { headers: Object.fromEntries(headers.map((name) => [name, { schema: { type: 'string' } }])) }),
    ...(schema !== undefined && { content: { 'application/json': { schema } } }),
  };
}

const errorsSchema = {
  type: 'object',
  required: ['errors'],
  properties: {
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code', 'message'],
        properties: { code: { type: 'string' }, message: { type: 'string' }, detail: {} },
      },
    },
  },
};

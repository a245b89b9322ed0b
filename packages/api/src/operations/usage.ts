import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

export const getUsage = defineOperation({
  id: 'get-usage',
  method: 'GET',
  path: '/berth/v1/usage',
  source: 'Berth; ACR listUsages and metrics (acr-api 6.16)',
  permission: { kind: 'operator' },
  summary: 'Tells what the registry stores, what its plan allows, and what it served in the last 24 hours.',
  responses: {
    200: {
      description: 'the usage',
      schema: Type.Object({
        registry: Type.String(),
        plan: Type.String(),
        sizeBytes: Type.Integer({ description: 'of all blobs, each counted once, and of the manifests of each repository' }),
        blobs: Type.Integer(),
        limitBytes: Type.Union([Type.Integer(), Type.Null()]),
        lastDay: Type.Object({ pulls: Type.Integer(), pushes: Type.Integer() }),
      }),
    },
  },
  errors: [],
});

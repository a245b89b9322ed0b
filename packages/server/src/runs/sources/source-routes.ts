import { runs } from '@berth/api';
import type { Route } from '../../http/route.ts';
import { requirePerson } from '../may-run.ts';
import type { RunsContext } from '../runs-context.ts';
import { uploadSource } from './sources.ts';

export function sourceRoutes(context: RunsContext): readonly Route[] {
  return [
    {
      operation: runs.uploadSource,
      handle: async ({ registry, principal, body, contentLength, signal }) => {
        requirePerson(principal);
        const owner = { registry, owner: principal.id };
        const kept = await uploadSource(context, owner, { body, sizeBytes: contentLength, signal });
        return { status: 201, body: { json: { ...kept, expiresAt: new Date(kept.expiresAt).toISOString() } } };
      },
    },
  ];
}

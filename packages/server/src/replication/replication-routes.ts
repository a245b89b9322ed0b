import { replication as operations } from '@berth/api';
import type { Route } from '../http/route.ts';
import type { Registry } from '../tenancy/index.ts';

export type Routes = readonly Route[];

/**
 * Operations below `/berth/v1` that a replica refuses: they write settings, or are about tasks, which run in the home region.
 * Content is written anywhere.
 */
const homeOnlyOperations: ReadonlySet<string> = new Set([
  'regenerate-password',
  'put-cleanup-rule',
  'delete-cleanup-rule',
  'start-cleanup',
  'put-purge-schedule',
  'delete-purge-schedule',
  'queue-run',
  'upload-source',
  'put-task',
  'update-task',
  'delete-task',
  'run-task',
  'put-task-secret',
  'delete-task-secret',
]);

/** How far the regions are with a registry, for whoever runs it. */
export function overviewRoutes(overview: (registry: Registry) => Promise<object>): Routes {
  return [
    {
      operation: operations.showReplication,
      handle: async ({ registry }) => ({
        status: 200,
        headers: { 'Cache-Control': 'no-store' },
        body: { json: await overview(registry) },
      }),
    },
  ];
}

/** The same routes; those that write settings ask `requireHome` first. */
export function guarded(routes: Routes, requireHome: (registry: Registry) => void): Routes {
  return routes.map((route) =>
    homeOnlyOperations.has(route.operation.id)
      ? {
          ...route,
          handle: async (request) => {
            requireHome(request.registry);
            return route.handle(request);
          },
        }
      : route,
  );
}

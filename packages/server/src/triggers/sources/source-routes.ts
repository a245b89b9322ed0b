import { tasks as operations } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import { readBytes } from '../../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import { receiveHook } from './receive-hook.ts';
import { showHook } from './show-hook.ts';
import type { SourcesContext } from './sources-context.ts';

const maxHookBytes = 2 ** 20;

/** The address that forges send to, and what to enter there. */
export function sourceRoutes(context: SourcesContext): readonly Route[] {
  return [
    { operation: operations.receiveHook, handle: (request) => receive(context, request) },
    {
      operation: operations.getHook,
      handle: async ({ registry, params, origin }) => {
        const { task = '', trigger: name = '' } = params;
        const hook = await showHook(context, registry, { task, name, origin });
        if (hook === undefined)
          throw new RegistryError('NOT_FOUND', {
            message: `the task ${task} has no source trigger ${name}, or there is no such task`,
          });
        return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json: hook } };
      },
    },
  ];
}

async function receive(context: SourcesContext, request: RouteRequest): Promise<Reply> {
  const { registry, params, headers } = request;
  const { task = '', trigger = '' } = params;
  const body = await readBytes(request, maxHookBytes);
  return { status: 202, body: { json: await receiveHook(context, registry, { task, trigger, headers, body }) } };
}

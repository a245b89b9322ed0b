import { agents } from '@berth/api';
import { readJson } from '../../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import type { MachineKeys } from './machine-keys.ts';
import type { MachineKey } from './queries.ts';

/** The keys that agents of a registry sign in with. */
export function agentKeyRoutes(machines: MachineKeys): readonly Route[] {
  return [
    {
      operation: agents.listAgentKeys,
      handle: async ({ registry }) => {
        const keys = await machines.list(registry.id);
        return { status: 200, body: { json: { keys: keys.map(keyDocument) } } };
      },
    },
    { operation: agents.createAgentKey, handle: (request) => create(machines, request) },
    {
      operation: agents.deleteAgentKey,
      handle: async ({ registry, params }) => {
        await machines.deleteAgentKey(registry, params['key'] ?? '');
        return { status: 204 };
      },
    },
  ];
}

async function create(machines: MachineKeys, request: RouteRequest): Promise<Reply> {
  const { registry, principal } = request;
  const { name, agentPool = null } = await readJson(request, agents.createAgentKey.body);
  // Whoever runs the deployment makes agents for all of it, unless they are for a pool of one registry.
  const isShared = agentPool === null && registry.isDefault && principal.permits({ type: 'deployment' });
  const { id, key } = await machines.createAgentKey(registry, { name, agentPool, isShared });
  const made = (await machines.list(registry.id)).find((each) => each.id === id);
  const json = { ...(made && keyDocument(made)), key };
  return { status: 201, headers: { 'Cache-Control': 'no-store' }, body: { json } };
}

function keyDocument({ id, name, agentPool, isShared, createdAt }: MachineKey): object {
  return { id, name, agentPool, isShared, createdAt: new Date(createdAt).toISOString() };
}

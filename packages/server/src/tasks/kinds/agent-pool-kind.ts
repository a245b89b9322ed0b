import { arm } from '@berth/api';
import type { ChildKind, Fields } from '../../resources/index.ts';
import type { TasksContext } from '../tasks-context.ts';

interface AgentPoolProperties {
  readonly count: number;
  readonly tier: string;
  readonly os: 'Linux' | 'Windows';
  readonly virtualNetworkSubnetResourceId?: string;
}

const tiers = ['S1', 'S2', 'S3', 'I6'] as const;
const maxCount = 1000;

/**
 * Pools of agents (acr-tasks 7). Machines are the owner's: agents join a pool with a key that names it, so `count` and `tier` are
 * kept as they were written and start nothing. Every plan may have pools.
 */
export function agentPoolKind({ runs }: TasksContext): ChildKind<AgentPoolProperties> {
  return {
    collection: 'agentPools',
    word: 'agent pool',
    nameRule: { pattern: /^[A-Za-z0-9-]{3,20}$/, words: '3 to 20 letters, digits and "-"' },
    isTracked: true,
    atMost: 100,
    isSeenLeaving: true,
    create: (properties) => readPool(properties, undefined),
    update: (before, properties) => readPool(properties, before),
    show: ({ properties }) => ({
      ...properties,
      virtualNetworkSubnetResourceId: properties.virtualNetworkSubnetResourceId ?? null,
    }),
    actions: [
      {
        operation: arm.runs.listQueueStatus,
        answer: async ({ name }, { registry }) => ({ count: await runs.queuedIn(registry.id, name) }),
      },
    ],
  };
}

function readPool(properties: Fields, before: AgentPoolProperties | undefined): AgentPoolProperties {
  const subnet = properties.text('virtualNetworkSubnetResourceId') ?? before?.virtualNetworkSubnetResourceId;
  return {
    count: properties.integer('count', { min: 0, max: maxCount }) ?? before?.count ?? 1,
    tier: properties.oneOf('tier', tiers) ?? before?.tier ?? 'S1',
    os: properties.oneOf('os', ['Linux', 'Windows']) ?? before?.os ?? 'Linux',
    ...(subnet !== undefined && subnet !== '' && { virtualNetworkSubnetResourceId: subnet }),
  };
}

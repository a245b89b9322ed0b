import { defineOperation } from '../operation.ts';

const open = { kind: 'public', reason: 'probes and scrapers carry no credentials; the answers name no content' } as const;

export const getHealth = defineOperation({
  id: 'get-health',
  method: 'GET',
  path: '/healthz',
  source: 'Berth',
  permission: open,
  summary: 'Says that the process is alive.',
  responses: { 200: { description: 'alive' } },
  errors: [],
});
export const getReadiness = defineOperation({
  id: 'get-readiness',
  method: 'GET',
  path: '/readyz',
  source: 'Berth',
  permission: open,
  summary: 'Says whether requests can be served now.',
  responses: { 200: { description: 'ready' } },
  errors: ['UNAVAILABLE'],
});
export const getRouting = defineOperation({
  id: 'get-routing',
  method: 'GET',
  path: '/routez',
  source: 'Berth',
  permission: open,
  summary: 'Says whether clients are to be sent to this region: for name servers and balancers.',
  responses: { 200: { description: 'they are' } },
  errors: ['UNAVAILABLE'],
});
export const getMetrics = defineOperation({
  id: 'get-metrics',
  method: 'GET',
  path: '/metrics',
  source: 'Berth; Prometheus text format',
  permission: open,
  summary: 'Counters and gauges of this process.',
  responses: { 200: { description: 'metrics' } },
  errors: [],
});

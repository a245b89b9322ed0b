import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export interface Metrics {
  observeRequest(operation: string, method: string, status: number, seconds: number): void;
  /** A value that is asked for when somebody scrapes. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** The Prometheus text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'berth_request_duration_seconds',
    help: 'How long requests took, by operation.',
    labelNames: ['operation', 'method'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [registry],
  });
  const answers = new Counter({ name: 'berth_requests_total', help: 'Requests by operation and status.', labelNames: ['operation', 'status'], registers: [registry] });
  return {
    observeRequest: (operation, method, status, seconds) => {
      durations.observe({ operation, method }, seconds);
      answers.inc({ operation, status });
    },
    gauge: (name, help, read) => {
      const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: async () => gauge.set(await read()) });
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

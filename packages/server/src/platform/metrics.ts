import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export interface MeasuredRequest {
  readonly operation: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** A call of the blob store that has ended; `operation` and `outcome` come from closed lists. */
export interface MeasuredStoreCall {
  readonly operation: string;
  readonly outcome: string;
  readonly durationMs: number;
  readonly bytes: number;
}

export interface Metrics {
  observeRequest(request: MeasuredRequest): void;
  observeStoreCall(call: MeasuredStoreCall): void;
  /** A value that is asked for when somebody scrapes. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** The same for a value that only grows. */
  counter(name: string, help: string, read: () => number): void;
  /** A value for each of some things that come and go, such as regions; `labels` are in the order of `labelNames`. */
  gauges(name: string, help: string, labelNames: readonly string[], read: () => Promise<readonly LabelledValue[]>): void;
  /** The Prometheus text format, with its media type. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface LabelledValue {
  readonly labels: readonly string[];
  readonly value: number;
}

const durationBuckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60];

/** Counters and gauges of this process. Labels come from closed lists: operations, methods and statuses. */
export function createMetrics({ version, region }: { readonly version: string; readonly region: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'berth_info',
    help: 'Always 1; its labels say what runs.',
    labelNames: ['version', 'region'],
    registers,
  }).set({ version, region }, 1);
  const durations = new Histogram({
    name: 'berth_request_duration_seconds',
    help: 'How long requests took, by operation.',
    labelNames: ['operation', 'method'],
    buckets: durationBuckets,
    registers,
  });
  const answers = new Counter({
    name: 'berth_requests_total',
    help: 'Requests by operation and status.',
    labelNames: ['operation', 'status'],
    registers,
  });
  const received = new Counter({ name: 'berth_received_bytes_total', help: 'Bytes of request bodies.', registers });
  const sent = new Counter({ name: 'berth_sent_bytes_total', help: "Bytes of answers' bodies.", registers });
  return {
    observeStoreCall: storeCalls(registers),
    observeRequest: ({ operation, method, status, durationMs, receivedBytes, sentBytes }) => {
      durations.observe({ operation, method }, durationMs / 1000);
      answers.inc({ operation, status });
      if (receivedBytes > 0) received.inc(receivedBytes);
      if (sentBytes > 0) sent.inc(sentBytes);
    },
    gauge: (name, help, read) => {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: async () => gauge.set(await read()) });
    },
    gauges: (name, help, labelNames, read) => {
      const gauge: Gauge = new Gauge({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        collect: async () => {
          const values = await read();
          gauge.reset();
          for (const { labels, value } of values) gauge.labels(...labels).set(value);
        },
      });
    },
    counter: (name, help, read) => {
      const counter: Counter = new Counter({
        name,
        help,
        registers,
        collect: () => {
          counter.reset();
          counter.inc(read());
        },
      });
    },
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

/** Counts calls of the blob store. */
function storeCalls(registers: Registry[]): Metrics['observeStoreCall'] {
  const storeDurations = new Histogram({
    name: 'berth_store_call_duration_seconds',
    help: 'How long calls of the blob store took, by operation.',
    labelNames: ['operation'],
    buckets: durationBuckets,
    registers,
  });
  const calls = new Counter({
    name: 'berth_store_calls_total',
    help: 'Calls of the blob store by operation and outcome.',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const storeBytes = new Counter({
    name: 'berth_store_bytes_total',
    help: 'Sealed bytes handed to the blob store or read from it, by operation.',
    labelNames: ['operation'],
    registers,
  });
  return ({ operation, outcome, durationMs, bytes }) => {
    storeDurations.observe({ operation }, durationMs / 1000);
    calls.inc({ operation, outcome });
    if (bytes > 0) storeBytes.inc({ operation }, bytes);
  };
}

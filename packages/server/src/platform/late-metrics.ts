import type { MeasuredRequest, MeasuredStoreCall, Metrics } from './metrics.ts';

export interface LateMetrics extends Metrics {
  /** Loads what measures, if nobody has yet. */
  load(): Promise<unknown>;
}

/** A start takes milliseconds: more requests than this do not end meanwhile. */
const maxPending = 10_000;

/**
 * Metrics whose library is loaded after the start, because nobody scrapes before and every start would pay for it. What
 * is measured until then is kept and handed over.
 */
export function createLateMetrics(open: () => Promise<Metrics>): LateMetrics {
  const pending: ((metrics: Metrics) => void)[] = [];
  let metrics: Metrics | undefined;
  let loading: Promise<Metrics> | undefined;
  const load = (): Promise<Metrics> => {
    loading ??= open().then((opened) => {
      metrics = opened;
      for (const act of pending.splice(0)) act(opened);
      return opened;
    });
    return loading;
  };
  const later = (act: (opened: Metrics) => void): void => {
    if (metrics !== undefined) act(metrics);
    else if (pending.length < maxPending) pending.push(act);
  };
  return {
    load,
    observeRequest: (request: MeasuredRequest) => {
      if (metrics !== undefined) metrics.observeRequest(request);
      else later((opened) => opened.observeRequest(request));
    },
    observeStoreCall: (call: MeasuredStoreCall) => {
      if (metrics !== undefined) metrics.observeStoreCall(call);
      else later((opened) => opened.observeStoreCall(call));
    },
    gauge: (name, help, read) => later((opened) => opened.gauge(name, help, read)),
    gauges: (name, help, labelNames, read) => later((opened) => opened.gauges(name, help, labelNames, read)),
    counter: (name, help, read) => later((opened) => opened.counter(name, help, read)),
    scrape: async () => (await load()).scrape(),
  };
}

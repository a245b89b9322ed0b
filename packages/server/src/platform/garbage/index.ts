export type { GarbageKind } from './candidates.ts';
export { type Backlog, collectorTransactions, countCandidates } from './claim.ts';
export {
  type CollectionSummary,
  type Collector,
  type CollectorLog,
  type CollectorOptions,
  createCollector,
} from './collector.ts';
export {
  type CollectionSubject,
  type CollectionVerdict,
  type GarbageHandler,
  defineCollection,
} from './handler.ts';

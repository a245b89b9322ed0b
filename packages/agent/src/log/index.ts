export { type LogBatch, RunLog } from './run-log.ts';
export { Masks } from './masks.ts';

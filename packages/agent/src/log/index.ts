export { type LogBatch, RunLog } from './run-log.ts';

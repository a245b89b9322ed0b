export { type HeldRun, type ReportAnswer, ServerClient } from './server-client.ts';
export { ServerError } from './server-error.ts';

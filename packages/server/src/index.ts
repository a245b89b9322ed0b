export type { ServerFacts } from './start-service.ts';
export { type Server, type ServerState, createServer } from './server.ts';
export { type Settings, loadSettings } from './settings/index.ts';

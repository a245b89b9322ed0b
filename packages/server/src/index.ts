export type { ServerFacts } from './assemble.ts';
export { type Server, type ServerState, createServer } from './server.ts';
export { type Settings, loadSettings } from './settings/index.ts';

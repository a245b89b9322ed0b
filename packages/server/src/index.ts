export { type RunningServer, startServer } from './assemble.ts';
export { type Settings, loadSettings } from './settings/index.ts';

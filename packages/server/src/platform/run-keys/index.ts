export { dropRunKey, putRunKey } from './run-keys.ts';

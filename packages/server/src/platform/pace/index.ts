export { Pace, type Wait } from './pace.ts';

export { type MeasuredParts, measure } from './measure.ts';
export { type HealthChecks, healthRoutes } from './routes.ts';

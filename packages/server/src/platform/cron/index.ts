export { type CronSchedule, parseCron } from './parse-cron.ts';

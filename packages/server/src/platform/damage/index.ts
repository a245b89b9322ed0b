export { countDamage, isBlobDamaged, knownDamage } from './queries.ts';
export { clearDamage, recordDamage } from './transactions.ts';

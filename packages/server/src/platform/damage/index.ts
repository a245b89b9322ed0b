export { countDamage, isBlobDamaged, knownDamage } from './queries.ts';
export { clearDamage, damageTransactions, recordDamage } from './transactions.ts';

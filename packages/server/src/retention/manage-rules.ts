import { RegistryError } from '../errors/index.ts';
import type { RetentionContext } from './model.ts';
import { type StoredRule, storedRule, storedRules } from './queries.ts';
import { type Rule, type RuleDefinition, isRuleName, maxRules, parseRule } from './rules.ts';
import { deleteRule, putRule } from './transactions.ts';

export interface RuleRecord {
  readonly name: string;
  readonly definition: RuleDefinition;
  readonly isEnabled: boolean;
  readonly updatedAt: number;
}

export async function listRules({ database }: RetentionContext, registryId: number): Promise<readonly RuleRecord[]> {
  return (await storedRules(database.read, registryId)).map(recordOf);
}

/** @throws NOT_FOUND */
export async function showRule({ database }: RetentionContext, registryId: number, name: string): Promise<RuleRecord> {
  const row = isRuleName(name) ? await storedRule(database.read, registryId, name) : undefined;
  if (row === undefined) throw ruleUnknown(name);
  return recordOf(row);
}

/** @throws INVALID_PARAMETER; QUOTA_EXCEEDED */
export async function setRule(
  { database, clock }: RetentionContext,
  registryId: number,
  { name, definition, isEnabled }: Omit<RuleRecord, 'updatedAt'>,
): Promise<'created' | 'replaced'> {
  parseRule(name, definition);
  const text = JSON.stringify(definition);
  return database.write(putRule, { registryId, name, definition: text, isEnabled, maxRules, now: clock.now() });
}

/** @throws NOT_FOUND */
export async function removeRule({ database }: RetentionContext, registryId: number, name: string): Promise<void> {
  const isDeleted = isRuleName(name) && (await database.write(deleteRule, { registryId, name }));
  if (!isDeleted) throw ruleUnknown(name);
}

/** The rules that count, ready to judge. */
export async function enabledRules(context: RetentionContext, registryId: number): Promise<readonly Rule[]> {
  const records = await listRules(context, registryId);
  return records.filter((record) => record.isEnabled).map(({ name, definition }) => parseRule(name, definition));
}

/** The text is ours: it was parsed before it was stored. */
function recordOf({ name, definition, is_enabled, updated_at }: StoredRule): RuleRecord {
  return {
    name,
    definition: JSON.parse(definition) as RuleDefinition,
    isEnabled: is_enabled === 1,
    updatedAt: updated_at,
  };
}

function ruleUnknown(name: string): RegistryError {
  return new RegistryError('NOT_FOUND', { message: `there is no cleanup rule "${name}"` });
}

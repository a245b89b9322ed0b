import { Refusal } from '../errors/index.ts';
import type { Plan } from '../tenancy/index.ts';
import { type LimitName, type PlanLimits, type Plans, limitNames, planNames, standardPlans } from './plans.ts';

const example = 'write it as {"Basic":{"webhooks":5}}; -1 lifts a limit';
/** Rates that no caller could ever meet are a mistake: to close a registry there are better ways. */
const perMinute = /PerMinute$/;

/** The plans with what the setting `planLimits` says otherwise; the text is JSON, or empty. @throws Refusal naming the key */
export function parsePlanLimits(text: string): Plans {
  if (text.trim() === '') return standardPlans;
  const changes = objectOf(parseJson(text), 'the setting planLimits');
  const plans: Record<Plan, PlanLimits> = { ...standardPlans };
  for (const [name, limits] of Object.entries(changes)) {
    const plan = planNames.find((each) => each === name);
    if (plan === undefined)
      throw new Refusal(`planLimits names "${shown(name)}", which is no plan`, `the plans are ${planNames.join(', ')}`);
    const changed = Object.entries(objectOf(limits, `planLimits.${plan}`)).map(([key, value]) => limitOf(plan, key, value));
    plans[plan] = { ...plans[plan], ...Object.fromEntries(changed) };
  }
  return plans;
}

function limitOf(plan: Plan, key: string, value: unknown): readonly [LimitName, number] {
  const name = limitNames.find((each) => each === key);
  if (name === undefined)
    throw new Refusal(`planLimits.${plan} names "${shown(key)}", which is no limit`, `the limits are ${limitNames.join(', ')}`);
  if (value === -1) return [name, Number.POSITIVE_INFINITY];
  const min = perMinute.test(name) ? 1 : 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min)
    throw new Refusal(`planLimits.${plan}.${name} must be a whole number from ${min}, or -1 for no limit`, example);
  return [name, value];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal('the setting planLimits is not JSON', example, { cause: error });
  }
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Refusal(`${what} must be a JSON object`, example);
}

function shown(name: string): string {
  return name.slice(0, 80);
}

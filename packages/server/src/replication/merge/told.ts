import type { AttributeValue, Change, ChangeAction, Fact, FactAttribute, Stamp } from '@berth/api';
import { compareStamps } from '../../changes/index.ts';
import type { Told } from './model.ts';

/**
 * What a snapshot, or an answer to a question, tells as the single deeds that it came from: what was done at one time in one
 * place is one of them. So all that is merged and told on has one stamp, and a region is left out by its own deeds only.
 */
export function toldOf(facts: readonly Fact[]): readonly Told[] {
  return facts.flatMap(deedsOf);
}

export function toldOfChanges(changes: readonly Change[]): readonly Told[] {
  return changes.map(({ action, isVisible, fact }) => ({ action, isVisible, fact }));
}

function deedsOf(fact: Fact): readonly Told[] {
  const { set, deleted, attributes = {}, pulledAt, request, content, ...name } = fact;
  const deeds: { readonly stamp: Stamp; readonly told: Told }[] = [];
  const asked = request === undefined ? {} : { request };
  const withContent = content === undefined ? {} : { content };
  if (deleted !== undefined)
    deeds.push({ stamp: deleted, told: { action: deletionOf(fact), isVisible: true, fact: { ...name, deleted, ...asked } } });
  if (set !== undefined)
    deeds.push({
      stamp: set,
      told: { action: fact.kind === 'tag' ? 'tag' : 'push', isVisible: true, fact: { ...name, set, ...withContent, ...asked } },
    });
  for (const [stamp, values] of byStamp(attributes))
    deeds.push({ stamp, told: { action: 'attributes', isVisible: true, fact: { ...name, attributes: values } } });
  const told = deeds.toSorted((a, b) => compareStamps(a.stamp, b.stamp)).map((deed) => deed.told);
  return pulledAt === undefined ? told : [...told, { action: 'pull', isVisible: false, fact: { ...name, pulledAt } }];
}

function deletionOf({ kind }: Fact): ChangeAction {
  if (kind === 'repository') return 'delete-repository';
  return kind === 'tag' ? 'untag' : 'delete';
}

function byStamp(attributes: NonNullable<Fact['attributes']>): readonly (readonly [Stamp, NonNullable<Fact['attributes']>])[] {
  const groups = new Map<string, readonly [Stamp, Partial<Record<FactAttribute, AttributeValue>>]>();
  for (const [name, value] of Object.entries(attributes) as [FactAttribute, AttributeValue][]) {
    const { clock, origin } = value;
    const key = `${clock}.${origin}`;
    const group = groups.get(key) ?? [{ clock, origin }, {}];
    group[1][name] = value;
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** When and where it was done; undefined: of a pull, which has none. */
export function stampOf({ set, deleted, attributes = {} }: Fact): Stamp | undefined {
  const [attribute] = Object.values(attributes);
  const { clock, origin } = set ?? deleted ?? attribute ?? { clock: 0, origin: '' };
  return clock === 0 ? undefined : { clock, origin };
}

import { type KindScene, invalid } from '../resources/index.ts';

/** Which identities a resource says it has. Berth keeps what clients wrote; nothing is done in their name. */
export interface ResourceIdentity {
  readonly type: string;
  readonly userAssignedIdentities?: Readonly<Record<string, object>>;
}

const types = ['None', 'SystemAssigned', 'UserAssigned', 'SystemAssigned, UserAssigned'] as const;
const maxIdentities = 20;

/** Reads `identity`, which stands beside `properties`. @throws INVALID_PARAMETER */
export function readIdentity({ document }: KindScene, before?: ResourceIdentity): ResourceIdentity | undefined {
  if (document?.has('identity') !== true) return before;
  const identity = document.object('identity');
  const given = identity.text('type')?.split(/,\s*/).toSorted().join(', ');
  if (given === undefined) return before;
  const type = types.find((known) => known.toLowerCase() === given.toLowerCase());
  if (type === undefined)
    throw invalid(identity.at('type'), `must be one of ${types.map((each) => JSON.stringify(each)).join(', ')}`);
  if (type === 'None') return undefined;
  if (!type.includes('UserAssigned')) return { type };
  const kept = new Map(Object.entries(before?.userAssignedIdentities ?? {}));
  const users = identity.object('userAssignedIdentities');
  for (const id of identity.names('userAssignedIdentities', maxIdentities) ?? [])
    if (users.isNull(id)) kept.delete(id);
    else kept.set(id, {});
  if (kept.size > maxIdentities) throw invalid(users.path, `are more than ${maxIdentities}`);
  return { type, userAssignedIdentities: Object.fromEntries(kept) };
}

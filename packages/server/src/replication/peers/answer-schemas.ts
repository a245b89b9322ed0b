import { Type } from 'typebox';

/** What of an answer the contract leaves open, since `packages/api` has it as a type. */

const maybeText = Type.Union([Type.String({ maxLength: 4_096 }), Type.Null()]);
const maybeNumber = Type.Union([Type.Number(), Type.Null()]);

const feedStatus = Type.Object({
  region: Type.String({ maxLength: 63 }),
  state: Type.Enum(['waiting', 'snapshot', 'following', 'unreachable', 'refused', 'stale']),
  answeredAt: maybeText,
  lagSeconds: maybeNumber,
  behind: maybeNumber,
  clockSkewSeconds: maybeNumber,
  problem: maybeText,
  remedy: maybeText,
});

/** What every version of Berth that knows regions says of itself. */
export const versions = Type.Object({ version: Type.String(), feedVersion: Type.Integer() });

/** `ReplicaStatus`. */
export const replicaStatus = Type.Object({
  region: Type.String({ maxLength: 63 }),
  isHome: Type.Boolean(),
  isEndpointEnabled: Type.Boolean(),
  endpoint: Type.String({ maxLength: 1_024 }),
  state: Type.Enum(['ready', 'syncing', 'unreachable', 'failed']),
  manifests: Type.Object({ complete: Type.Number(), pending: Type.Number() }),
  bytes: Type.Object({ copied: Type.Number(), pending: Type.Number(), perSecond: Type.Number() }),
  conflictsResolved: Type.Number(),
  damagedAnswers: Type.Number(),
  feeds: Type.Array(feedStatus, { maxItems: 1_024 }),
  problem: maybeText,
  remedy: maybeText,
});

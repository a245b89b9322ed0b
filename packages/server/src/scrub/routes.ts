import { upkeep } from '@berth/api';
import { readJson } from '../http/read-body.ts';
import type { Reply, Route } from '../http/route.ts';
import type { Damage, ScrubProgress } from './model.ts';

export interface ScrubState extends ScrubProgress {
  /** Damaged blobs that were replaced by what another region has, since the start. */
  readonly repairedBlobs: number;
  readonly damage: readonly Damage[];
}

/** What the routes ask for. */
export interface ScrubControl {
  start(registryId: number, bytesPerSecond: number | undefined): void;
  state(registryId: number): Promise<ScrubState>;
}

export function scrubRoutes(control: ScrubControl): readonly Route[] {
  const answer = async (status: number, registryId: number): Promise<Reply> => ({
    status,
    headers: { 'Cache-Control': 'no-store' },
    body: { json: asJson(await control.state(registryId)) },
  });
  return [
    {
      operation: upkeep.startScrub,
      handle: async (request) => {
        const { bytesPerSecond } = await readJson(request, upkeep.startScrub.body);
        control.start(request.registry.id, bytesPerSecond);
        return answer(202, request.registry.id);
      },
    },
    { operation: upkeep.getScrub, handle: (request) => answer(200, request.registry.id) },
  ];
}

function asJson({
  state,
  partsChecked,
  bytesChecked,
  manifestsChecked,
  startedAt,
  finishedAt,
  repairedBlobs,
  damage,
}: ScrubState): unknown {
  return {
    state,
    partsChecked,
    bytesChecked,
    manifestsChecked,
    startedAt: startedAt === null ? null : timeText(startedAt),
    finishedAt: finishedAt === null ? null : timeText(finishedAt),
    repairedBlobs,
    damage: damage.map(({ part, digest, reason, foundAt }) => ({ part, digest, reason, foundAt: timeText(foundAt) })),
  };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

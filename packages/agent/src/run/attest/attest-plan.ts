import type { Engine } from '../../engine/index.ts';
import { RunFailed } from '../run-failed.ts';
import type { RunPlan } from '../run-plan.ts';

/**
 * What a run that asks for documents can be given.
 * @returns what is to be said in its log, if it gets none
 * @throws RunFailed when the engine cannot do it: better no image than one that seems to have them
 */
export function checkAttests({ attests, steps }: RunPlan, engine: Engine, isTrusted: boolean): string | undefined {
  if (!attests.sbom && !attests.provenance) return undefined;
  if (!steps.some(({ action }) => action.kind === 'push'))
    return 'Nothing is to be pushed: SBOM and provenance, which are kept with the image, are not made';
  if (!isTrusted) return 'A run of an untrusted source pushes nothing: neither SBOM nor provenance is made';
  if (attests.sbom && engine.name === 'buildah')
    throw new RunFailed(
      'an SBOM is asked for, and this agent has buildah, which hands out no files of an image: use an agent with docker or podman, or build without --sbom',
    );
  if (attests.sbom && engine.describe().os === 'Windows')
    throw new RunFailed(
      'an SBOM is asked for, and Windows containers hand out no files of an image: use an agent with Linux, or build without --sbom',
    );
  return undefined;
}

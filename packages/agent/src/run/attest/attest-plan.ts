import type { Engine } from '../../engine/index.ts';
import { RunFailed } from '../run-failed.ts';
import { fullName } from '../run-images.ts';
import type { RunPlan } from '../run-plan.ts';

/**
 * What those builds of a run that ask for documents can be given.
 * @returns what is to be said in its log of those that get none
 * @throws RunFailed when the engine cannot do it: better no image than one that seems to have them
 */
export function checkAttests({ steps }: Pick<RunPlan, 'steps'>, engine: Engine, isTrusted: boolean): readonly string[] {
  const asking = steps.flatMap(({ id, action }) =>
    action.kind === 'build' && (action.build.attests.sbom || action.build.attests.provenance)
      ? [{ id, tags: action.build.tags.map(fullName), sbom: action.build.attests.sbom }]
      : [],
  );
  if (asking.length === 0) return [];
  if (!isTrusted) return ['A run of an untrusted source pushes nothing: neither SBOM nor provenance is made'];
  const pushed = new Set(steps.flatMap(({ action }) => (action.kind === 'push' ? action.images.map(fullName) : [])));
  const isPushed = ({ tags }: (typeof asking)[number]): boolean => tags.some((tag) => pushed.has(tag));
  if (asking.some((each) => each.sbom && isPushed(each))) requireFiles(engine);
  if (pushed.size === 0) return ['Nothing is to be pushed: SBOM and provenance, which are kept with the image, are not made'];
  return asking
    .filter((each) => !isPushed(each))
    .map(({ id }) => `The step ${id} asks for SBOM or provenance, and no push step has its image: they are not made`);
}

function requireFiles(engine: Engine): void {
  if (engine.name === 'buildah')
    throw new RunFailed(
      'an SBOM is asked for, and this agent has buildah, which hands out no files of an image: use an agent with docker or podman, or build without --sbom',
    );
  if (engine.describe().os === 'Windows')
    throw new RunFailed(
      'an SBOM is asked for, and Windows containers hand out no files of an image: use an agent with Linux, or build without --sbom',
    );
}

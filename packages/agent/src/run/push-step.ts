import { type Step, parseImageReference } from '@berth/task-file';
import { EngineError } from '../engine/index.ts';
import { pushIndex } from './push-index.ts';
import { outputOf, pushTag } from './push-tag.ts';
import { RegistryRefused } from './registry/registry-access.ts';
import type { Attempt, AttemptContext, RunScene } from './run-scene.ts';

/** Pushes the images of a `push` step one after the other. */
export async function attemptPush(scene: RunScene, step: Step, context: AttemptContext): Promise<Attempt> {
  const { action } = step;
  if (action.kind !== 'push') throw new Error(`the step ${step.id} is no push`);
  if (!scene.host.assignment.isTrusted)
    return { exitCode: null, lastLines: [], skipped: 'a run of an untrusted source pushes nothing' };
  for (const name of action.images) {
    const reference = parseImageReference(name);
    const built = scene.images.find(name);
    if (reference === undefined) return failed(`push names ${name}, which is no name of an image`, true);
    if (built === undefined && !scene.host.limits.allowsEngineSocket)
      return failed(`push names ${name}, which no build step of this run has as a tag`, true);
    try {
      const output =
        built !== undefined && built.images.length > 1
          ? await pushIndex(scene, built, { reference, context })
          : outputOf(reference, await pushTag(scene, built?.images[0]?.id, { name, reference, context }));
      built?.outputs.push(output);
      context.say(`Pushed ${name} as ${output.digest}`);
    } catch (error) {
      context.signal.throwIfAborted();
      if (error instanceof EngineError || error instanceof RegistryRefused)
        return failed(`${name} could not be pushed: ${error.message}`);
      throw error;
    }
  }
  return { exitCode: 0, lastLines: [] };
}

function failed(reason: string, isFinal = false): Attempt {
  return { exitCode: 1, reason, lastLines: [], isFinal };
}

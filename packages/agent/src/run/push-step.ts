import { type Step, parseImageReference } from '@berth/task-file';
import { EngineError } from '../engine/index.ts';
import { type ToAttest, attestImage, readContents } from './attest/attest-images.ts';
import { ContentsUnreadable } from './attest/image-contents.ts';
import { pushIndex } from './push-index.ts';
import { type OnePush, type PushedImage, outputOf, pushTag } from './push-tag.ts';
import { RegistryRefused } from './registry/registry-access.ts';
import type { BuiltImage } from './run-images.ts';
import type { Attempt, AttemptContext, RunScene } from './run-scene.ts';

/** Pushes the images of a `push` step one after the other, then what is to be attached to them. */
export async function attemptPush(scene: RunScene, step: Step, context: AttemptContext): Promise<Attempt> {
  const { action } = step;
  if (action.kind !== 'push') throw new Error(`the step ${step.id} is no push`);
  if (!scene.host.assignment.isTrusted)
    return { exitCode: null, lastLines: [], skipped: 'a run of an untrusted source pushes nothing' };
  const pushed: ToAttest[] = [];
  let doing = 'nothing was pushed';
  try {
    const contents = await readContents(scene, namedImages(scene, action.images), context);
    for (const name of action.images) {
      doing = `${name} could not be pushed`;
      const reference = parseImageReference(name);
      const built = scene.images.find(name);
      if (reference === undefined) return failed(`push names ${name}, which is no name of an image`, true);
      if (built === undefined && !scene.host.limits.allowsEngineSocket)
        return failed(`push names ${name}, which no build step of this run has as a tag`, true);
      const image = await pushImage(scene, built, { name, reference, context });
      built?.outputs.push(image.output);
      context.say(`Pushed ${name} as ${image.output.digest}`);
      if (built !== undefined && !pushed.some((each) => isSameImage(each.pushed, image)))
        pushed.push({ built, pushed: image, contents });
    }
    for (const each of pushed) {
      doing = `the image is pushed, but nothing could be attached to ${each.pushed.output.digest}`;
      await attestImage(scene, each, context);
    }
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof EngineError || error instanceof RegistryRefused || error instanceof ContentsUnreadable)
      return failed(`${doing}: ${error.message}`);
    throw error;
  }
  return { exitCode: 0, lastLines: [] };
}

async function pushImage(scene: RunScene, built: BuiltImage | undefined, push: OnePush): Promise<PushedImage> {
  if (built !== undefined && built.images.length > 1) return pushIndex(scene, built, push);
  const id = built?.images[0]?.id;
  const facts = await pushTag(scene, id, push);
  return { output: outputOf(push.reference, facts), facts, images: [{ facts, id }] };
}

function namedImages({ images }: RunScene, names: readonly string[]): readonly BuiltImage[] {
  return [...new Set(names.flatMap((name) => images.find(name) ?? []))];
}

/** Tags of one image in one repository have the same documents. */
function isSameImage({ output: a }: PushedImage, { output: b }: PushedImage): boolean {
  return a.registry === b.registry && a.repository === b.repository && a.digest === b.digest;
}

function failed(reason: string, isFinal = false): Attempt {
  return { exitCode: 1, reason, lastLines: [], isFinal };
}

import type { BuildDependency, OutputImage } from '@berth/api';
import type { Engine } from '../engine/index.ts';
import type { RunImages } from './run-images.ts';

/** What was pushed, each once. */
export function outputsOf(images: RunImages): readonly OutputImage[] {
  const outputs = images.built.flatMap(({ outputs: each }) => each);
  return outputs.filter((output, index) => outputs.findLastIndex((each) => isSameTag(each, output)) === index);
}

function isSameTag(a: OutputImage, b: OutputImage): boolean {
  return a.registry === b.registry && a.repository === b.repository && a.tag === b.tag;
}

/** What each built image depends on, those of failed builds included: a patched base image may mend them. */
export function dependenciesOf(images: RunImages, commit: string): readonly BuildDependency[] {
  const gitCommit = commit === '' ? null : commit;
  const pushed = outputsOf(images);
  const built = images.built.flatMap(({ step, bases, outputs }): BuildDependency[] => {
    const own = outputs.filter((output) => pushed.includes(output));
    return (own.length === 0 ? [null] : own).map((image) => ({ step, image, bases: [...bases], gitCommit }));
  });
  const failed = [...images.failed].map(([step, { bases }]) => ({ step, image: null, bases: [...bases], gitCommit }));
  return [...built, ...failed];
}

/** Takes the names of built images away again: they are no one else's. What the cache holds stays. */
export async function removeImages(engine: Engine, images: RunImages): Promise<void> {
  const names = images.built.flatMap((image) => [
    ...image.tags,
    ...(image.images.length > 1 || image.tags.length === 0 ? image.images.map(({ id }) => id) : []),
  ]);
  await engine.removeImages([...new Set(names)], AbortSignal.timeout(60_000));
}

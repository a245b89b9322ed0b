import type { RunReport, RunStep } from '@berth/api';

/** What agents say ends in rows: nothing of it is longer than people read. */

const maxSteps = 200;
const maxImages = 1000;
const maxNameLength = 512;
const maxReasonLength = 4_096;

type End = NonNullable<RunReport['end']>;

export function cutSteps(steps: readonly RunStep[]): readonly RunStep[] {
  return steps.slice(0, maxSteps).map((step) => ({
    ...step,
    id: textOf(step.id, maxNameLength),
    ...(step.reason !== undefined && { reason: textOf(step.reason, maxReasonLength) }),
  }));
}

export function cutEnd(end: End): End {
  return {
    ...end,
    message: end.message === null ? null : textOf(end.message, maxReasonLength),
    images: end.images.slice(0, maxImages).map(cutImage),
    dependencies: end.dependencies.slice(0, maxImages).map((dependency) => ({
      ...dependency,
      step: textOf(dependency.step, maxNameLength),
      image: dependency.image && cutImage(dependency.image),
      bases: dependency.bases.slice(0, maxImages).map(cutImage),
    })),
  };
}

function cutImage<Image extends { registry: string; repository: string; tag: string | null; digest: string }>(
  image: Image,
): Image {
  return {
    ...image,
    registry: textOf(image.registry, maxNameLength),
    repository: textOf(image.repository, maxNameLength),
    tag: image.tag === null ? null : textOf(image.tag, maxNameLength),
    digest: textOf(image.digest, maxNameLength),
  };
}

/** PostgreSQL takes no text with a NUL. */
function textOf(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed().replaceAll('\0', '');
}

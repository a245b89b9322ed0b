import type { Assignment, RegistryLogin } from '@berth/api';
import { type BuildCommand, type Dictionary, parseImageReference, plainStep, render } from '@berth/task-file';
import { RunFailed } from './run-failed.ts';
import type { RunPlan } from './run-plan.ts';

type QuickBuild = Extract<Assignment['work'], { readonly kind: 'build' }>;

export interface QuickBuildScene {
  readonly run: Dictionary;
  readonly logins: readonly RegistryLogin[];
  readonly timeoutSeconds: number;
  readonly isTrusted: boolean;
}

/** ACR's (acr-tasks 0). */
const buildTimeoutSeconds = 28_800;
const pushTimeoutSeconds = 3600;

/** The steps `build` and `push` of `berth build` and `az acr build`. @throws RunFailed, TaskFileError */
export function planQuickBuild(work: QuickBuild, { run, logins, timeoutSeconds, isTrusted }: QuickBuildScene): RunPlan {
  const images = work.images.map((image) => withRegistry(render(image, { Run: run, Build: { ID: run['ID'] ?? '' } }), logins));
  const given = work.arguments ?? [];
  if (!isTrusted && given.some(({ isSecret }) => isSecret === true))
    throw new RunFailed('a run of an untrusted source gets no secret arguments');
  const build: BuildCommand = {
    tags: images,
    // ACR's clients name it relative to the source.
    file: work.dockerfile,
    target: work.target,
    arguments: given.filter(({ isSecret }) => isSecret !== true).map(({ name, value }) => `${name}=${value}`),
    platforms: work.platforms ?? [],
    labels: [],
    secrets: [],
    noCache: work.noCache ?? false,
    pull: false,
    attests: { sbom: work.sbom ?? false, provenance: work.provenance ?? false },
    others: [],
    context: '.',
  };
  const isPushed = (work.isPushed ?? true) && images.length > 0;
  const steps = [
    plainStep('build', { kind: 'build', build, isCached: true }, Math.min(buildTimeoutSeconds, timeoutSeconds)),
    ...(isPushed ? [plainStep('push', { kind: 'push', images }, Math.min(pushTimeoutSeconds, timeoutSeconds))] : []),
  ];
  return {
    steps,
    dependencies: new Map(steps.map(({ id }) => [id, id === 'push' ? ['build'] : []])),
    networks: [],
    volumes: [],
    buildSecrets: new Map(given.flatMap(({ name, value, isSecret }) => (isSecret === true ? [[name, value] as const] : []))),
  };
}

/** The run's registry goes before a name that begins with no registry that the run knows (acr-tasks 0). */
function withRegistry(image: string, logins: readonly RegistryLogin[]): string {
  const isKnown = logins.some(({ server }) => image.startsWith(`${server}/`)) || image.startsWith('library/');
  const name = isKnown || logins[0] === undefined ? image : `${logins[0].server}/${image}`;
  const reference = parseImageReference(name);
  if (reference === undefined || reference.digest !== null)
    throw new RunFailed(`${JSON.stringify(image)} is no name for an image: it is REPOSITORY:TAG, in small letters`);
  return /:[^/]*$/.test(name) ? name : `${name}:latest`;
}

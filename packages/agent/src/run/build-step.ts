import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { BaseImageUse } from '@berth/api';
import type { Step } from '@berth/task-file';
import { EngineError } from '../engine/index.ts';
import { fetchBaseImages } from './base-images.ts';
import { readBuildFlags } from './build-flags.ts';
import { type BuildPlace, buildOne } from './build-one.ts';
import { buildSecrets } from './build-secrets.ts';
import { namedValues } from './child-values.ts';
import { ImageMissing } from './pull-image.ts';
import type { BuiltImage, PlatformImage } from './run-images.ts';
import type { Attempt, AttemptContext, RunScene } from './run-scene.ts';
import { pathInWorkspace } from './workspace-path.ts';

/** Builds the image of a `build` step once, for each of its platforms. */
export async function attemptBuild(scene: RunScene, step: Step, context: AttemptContext): Promise<Attempt> {
  try {
    const place = await findPlace(scene, step, context);
    return await buildAll(scene, step, { place, context });
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof ImageMissing || error instanceof EngineError) return failed(error.message);
    if (error instanceof Error) return failed(`build ${error.message}`, true);
    throw error;
  }
}

function failed(reason: string, isFinal = false): Attempt {
  return { exitCode: null, reason, lastLines: [], isFinal };
}

async function findPlace(scene: RunScene, step: Step, { say }: AttemptContext): Promise<BuildPlace> {
  const { action } = step;
  if (action.kind !== 'build') throw new Error(`the step ${step.id} is no build`);
  const { build } = action;
  const passed = readBuildFlags(build.others, scene.host.limits);
  if (!scene.engine.describe().separatesCaches && !scene.host.assignment.isTrusted)
    throw new Error(
      'is of an untrusted source, and what it leaves in cache mounts would be found by others: the podman service of this agent is elsewhere; let an agent on its machine do it',
    );
  if (isRemote(build.context))
    throw new Error(
      `has the context ${build.context}: a step builds from a folder of the workspace; give the address to the run as its source`,
    );
  const context = await pathInWorkspace(scene.workspace, build.context, step.workingDirectory);
  const dockerfile =
    build.file === undefined
      ? await pathInWorkspace(scene.workspace, `${build.context}/Dockerfile`, step.workingDirectory)
      : await pathInWorkspace(scene.workspace, build.file, step.workingDirectory);
  const given = new Map(namedValues(build.arguments, namedValues(step.environment)));
  if (given.delete('BUILDKIT_CACHE_MOUNT_NS')) say('BUILDKIT_CACHE_MOUNT_NS is passed over: caches are kept apart by the agent');
  const place = {
    build,
    context,
    dockerfile,
    dockerfileName: relative(scene.workspace, dockerfile),
    arguments: given,
    secrets: await buildSecrets(scene, step, build),
    passed,
  };
  await checkFrontend(scene, place, say);
  return place;
}

function isRemote(context: string): boolean {
  return context === '-' || /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i.test(context);
}

/** A frontend of its own could reach caches of other runs; and secret arguments are no arguments. */
async function checkFrontend({ host }: RunScene, place: BuildPlace, say: (text: string) => void): Promise<void> {
  const text = await readFile(place.dockerfile, 'utf8');
  const syntax =
    place.arguments.get('BUILDKIT_SYNTAX') ?? /^(?:\s*(?:#|\/\/).*\n)*?\s*(?:#|\/\/)\s*syntax\s*=\s*(\S+)/i.exec(text)?.[1];
  const isUsual = syntax === undefined || /^(?:docker\.io\/)?docker\/dockerfile(?:[:@].*)?$/.test(syntax);
  if (!isUsual && !host.assignment.isTrusted)
    throw new Error(`has # syntax=${syntax} in ${place.dockerfileName}; runs of untrusted sources have docker/dockerfile only`);
  for (const id of place.secrets.keys())
    if (new RegExp(`^\\s*ARG\\s+${id.replaceAll('.', '\\.')}(?:=|\\s|$)`, 'im').test(text))
      say(
        `Warning: ${id} is a secret, and so no argument of the build: read it with RUN --mount=type=secret,id=${id} from /run/secrets/${id}`,
      );
}

async function buildAll(
  scene: RunScene,
  step: Step,
  { place, context }: { readonly place: BuildPlace; readonly context: AttemptContext },
): Promise<Attempt> {
  const startedAt = new Date();
  const { build } = place;
  const platforms = build.platforms.length === 0 ? [undefined] : [...new Set(build.platforms)];
  const images: PlatformImage[] = [];
  const bases: BaseImageUse[] = [];
  let last: Attempt = { exitCode: 0, lastLines: [] };
  for (const platform of platforms) {
    const { uses, images: on } = await fetchBaseImages(scene, { ...place, platform, target: build.target }, context);
    bases.push(...uses.filter((base) => !bases.some((each) => isSameBase(each, base))));
    const { id, attempt } = await buildOne(scene, step, { place, context, platform, on, isOnly: platforms.length === 1 });
    last = attempt;
    if (id === undefined) {
      rememberBases(scene, step, { tags: build.tags, bases });
      return attempt;
    }
    images.push({ platform: platform ?? '', id });
  }
  const native = images.find(({ platform }) => isNative(scene, platform)) ?? images[0];
  if (images.length > 1 && native !== undefined)
    for (const tag of build.tags) await scene.engine.tag(native.id, tag, context.signal);
  const image: BuiltImage = {
    step: step.id,
    tags: build.tags,
    images,
    bases,
    outputs: [],
    startedAt,
    dockerfile: place.dockerfileName,
    arguments: place.arguments,
    secrets: [...place.secrets.keys()],
    target: build.target,
    noCache: build.noCache,
    attests: build.attests,
    attached: new Set(),
  };
  scene.images.add(image);
  return last;
}

/** What a build that failed would have depended on is of use, too: a new base image may mend it. */
function rememberBases(
  { images }: RunScene,
  { id }: Step,
  { tags, bases }: { readonly tags: readonly string[]; readonly bases: readonly BaseImageUse[] },
): void {
  images.failed.set(id, { tags, bases });
}

function isSameBase(a: BaseImageUse, b: BaseImageUse): boolean {
  return a.digest === b.digest && a.repository === b.repository && a.tag === b.tag && a.role === b.role;
}

function isNative({ engine }: RunScene, platform: string): boolean {
  return platform === '' || platform.split('/')[1] === engine.describe().architectures[0];
}

import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Step } from '@berth/task-file';
import { EngineError } from '../engine/index.ts';
import { namedValues, passEnvironment } from './child-values.ts';
import { containerArguments, folderOf } from './container-arguments.ts';
import { followContainer } from './follow-container.ts';
import { ImageMissing, pullImage } from './pull-image.ts';
import { type RunFlags, readRunFlags } from './run-flags.ts';
import type { Attempt, AttemptContext, RunScene } from './run-scene.ts';

/** Where steps find their home. */
const home = '/acb/home';
const stopSeconds = 5;

/** Runs the container of a `cmd` step once. */
export async function attemptCommand(scene: RunScene, step: Step, context: AttemptContext): Promise<Attempt> {
  const { action } = step;
  if (action.kind !== 'cmd') throw new Error(`the step ${step.id} is no cmd`);
  if (scene.engine.name === 'buildah')
    return failed('this agent has buildah, which only builds: cmd needs an agent with docker or podman', true);
  try {
    const flags = readRunFlags(action.command.flags, scene.host.limits);
    const image = await findImage(scene, step, { context, platform: flags.platform });
    const container = await prepareContainer(scene, step, { flags, image, context });
    return await runContainer(scene, step, { ...container, context });
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof ImageMissing || error instanceof EngineError) return failed(error.message);
    // What a flag or a name asks for is refused: Errors of our own say what and why.
    if (error instanceof Error) return failed(`cmd ${error.message}`, true);
    throw error;
  }
}

function failed(reason: string, isFinal = false): Attempt {
  return { exitCode: null, reason, lastLines: [], isFinal };
}

/** One that this run built, by its id, or one that it may pull. */
async function findImage(
  scene: RunScene,
  step: Step,
  { context, platform }: { readonly context: AttemptContext; readonly platform: string | undefined },
): Promise<string> {
  const name = step.action.kind === 'cmd' ? step.action.command.image : '';
  const built = scene.images.find(name)?.images;
  const chosen = platform === undefined ? built?.[0] : (built?.find((each) => each.platform === platform) ?? built?.[0]);
  if (chosen !== undefined && !step.pulls) return chosen.id;
  const options = {
    platform,
    isAnew: step.pulls,
    retries: step.downloadRetries,
    retryDelaySeconds: step.downloadRetryDelaySeconds,
  };
  return pullImage(scene, name, { ...context, options });
}

interface PreparedContainer {
  readonly name: string;
  readonly args: readonly string[];
  readonly clientEnvironment: Readonly<Record<string, string>>;
  readonly isDetached: boolean;
}

async function prepareContainer(
  scene: RunScene,
  step: Step,
  { flags, image, context }: { readonly flags: RunFlags; readonly image: string; readonly context: AttemptContext },
): Promise<PreparedContainer> {
  const { host, engine, resources } = scene;
  const { os, limitsSwap } = engine.describe();
  const isWindows = os === 'Windows';
  const name = `${resources.prefix}-${randomBytes(2).toString('hex')}-${step.id.replaceAll(/[^A-Za-z0-9_.-]/g, '-')}`;
  const network = flags.network ?? step.network;
  if (network === undefined && resources.lacksDefaultNetwork)
    context.say('no network of the task file is the default one: the step gets the network of the run');
  const own = namedValues(step.environment);
  const environment = passEnvironment(
    new Map([['HOME', folderOf(home, isWindows) ?? home], ...own, ...namedValues(flags.environment, own)]),
  );
  const environmentFlags = [...environment.flags];
  if (environment.fileLines.length > 0) {
    const folder = join(host.secretsFolder, 'environments');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, name), `${environment.fileLines.join('\n')}\n`, { mode: 0o600 });
    environmentFlags.push('--env-file', join(folder, name));
  }
  const isDetached = step.isDetached || flags.isDetached;
  const args = containerArguments(step, {
    engine: engine.name,
    isWindows,
    limitsSwap,
    limits: host.limits,
    name,
    labels: resources.labels,
    network: network === undefined ? await resources.defaultNetwork() : await resources.network(network),
    aliases: [step.id, ...flags.aliases],
    volumes: await volumesOf(scene, step, flags),
    environmentFlags,
    flags,
    image,
    isDetached,
  });
  resources.useEngine();
  return { name, args, clientEnvironment: environment.client, isDetached };
}

async function volumesOf({ host, engine, resources, logins }: RunScene, step: Step, flags: RunFlags): Promise<string[]> {
  const isWindows = engine.describe().os === 'Windows';
  const volumes = isWindows
    ? [`${join(host.folder, 'workspace')}:c:\\workspace`]
    : [
        `${await resources.workspaceVolume()}:/workspace`,
        `${await resources.home()}:${home}`,
        `${logins.stepFile}:${home}/.docker/config.json:ro`,
      ];
  for (const { name, mountPath } of step.volumeMounts) volumes.push(`${await resources.secretVolume(name)}:${mountPath}:ro`);
  for (const { name, mountPath, isReadOnly } of flags.volumes)
    volumes.push(name === undefined ? mountPath : `${await resources.volume(name)}:${mountPath}${isReadOnly ? ':ro' : ''}`);
  if (host.limits.allowsEngineSocket && !isWindows) volumes.push(`${engine.socketPath}:/var/run/docker.sock`);
  return volumes;
}

async function runContainer(
  scene: RunScene,
  step: Step,
  { name, args, clientEnvironment, isDetached, context }: PreparedContainer & { readonly context: AttemptContext },
): Promise<Attempt> {
  const { signal } = context;
  const { engine } = scene;
  signal.throwIfAborted();
  context.say(`Launching the container ${name}`);
  // Its client is not ended with the run: the container is stopped, and the client says how it ended.
  const clientEnd = new AbortController();
  const stop = (): void => void stopContainer(scene, name).finally(() => clientEnd.abort());
  signal.addEventListener('abort', stop, { once: true });
  try {
    const { exitCode, lastLines } = await engine.command(args, {
      environment: clientEnvironment,
      signal: clientEnd.signal,
      onLine: (stream, line) => {
        // A detached one prints its id.
        if (!isDetached || stream === 'stderr') context.line(stream, line);
      },
    });
    signal.throwIfAborted();
    if (isDetached && exitCode === 0) followContainer(scene, step, name);
    return { exitCode, lastLines };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Politely, and after 5 s by force. The container may not even have been created yet: so until its client has ended. */
async function stopContainer({ engine }: RunScene, name: string): Promise<void> {
  const options = { signal: AbortSignal.timeout((stopSeconds + 15) * 1000) };
  await engine.command(['stop', '--time', `${stopSeconds}`, name], options);
  await engine.command(['rm', '--force', '--volumes', name], options);
}

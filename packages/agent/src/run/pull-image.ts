import { setTimeout as pause } from 'node:timers/promises';
import { parseImageReference } from '@berth/task-file';
import type { AttemptContext, RunScene } from './run-scene.ts';

export interface PullOptions {
  readonly platform?: string | undefined;
  /** Even if this run pulled it before. */
  readonly isAnew?: boolean;
  readonly retries?: number;
  readonly retryDelaySeconds?: number;
}

/** An image that can neither be pulled nor found. */
export class ImageMissing extends Error {
  override readonly name = 'ImageMissing';
}

/**
 * Pulls an image with the run's own logins, whatever other runs left on the engine: what they may read is not for this one.
 * Only when its registry cannot be reached is an image taken that is there already.
 * @returns the image's id
 * @throws ImageMissing
 */
export async function pullImage(
  { engine, images }: RunScene,
  name: string,
  { signal, say, options = {} }: Pick<AttemptContext, 'signal' | 'say'> & { readonly options?: PullOptions },
): Promise<string> {
  const scene = { engine };
  const { platform, isAnew, retries = 0, retryDelaySeconds = 0 } = options;
  const reference = parseImageReference(name);
  if (reference === undefined) throw new ImageMissing(`${name} is no name of an image`);
  const args = [
    'pull',
    ...(platform === undefined ? [] : ['--platform', platform]),
    ...engine.plainHttpFlags(reference.registry),
    name,
  ];
  const pull = async (): Promise<string> => {
    for (let attempt = 0; ; attempt += 1) {
      const { exitCode, lastLines } = await engine.command(args, { signal });
      signal.throwIfAborted();
      if (exitCode === 0) break;
      const reason = lastLines.join('\n');
      if (attempt < retries) {
        say(`${name} could not be pulled; the next attempt is in ${retryDelaySeconds} s: ${reason}`);
        await pause(retryDelaySeconds * 1000, undefined, { signal });
        continue;
      }
      const isThere = isUnreachable(reason) && (await imageId(scene, name, signal)) !== undefined;
      if (!isThere) throw new ImageMissing(`${name} cannot be pulled: ${reason}`);
      say(`the registry of ${name} cannot be reached; the image that is on this machine is used: ${reason}`);
      break;
    }
    const id = await imageId(scene, name, signal);
    if (id === undefined) throw new ImageMissing(`${name} was pulled, and is not there`);
    return id;
  };
  return images.pulledOnce(`${name} ${platform ?? ''}`, pull, isAnew);
}

/** Undefined for an image that the engine does not have. */
async function imageId({ engine }: Pick<RunScene, 'engine'>, name: string, signal: AbortSignal): Promise<string | undefined> {
  const args =
    engine.name === 'buildah'
      ? ['inspect', '--type', 'image', '--format', '{{.FromImageID}}', name]
      : ['image', 'inspect', '--format', '{{.Id}}', name];
  const { exitCode, output } = await engine.command(args, { signal });
  return exitCode === 0 ? output.trim() : undefined;
}

/** Whether the registry did not answer at all: it may have refused for every other reason. */
function isUnreachable(reason: string): boolean {
  return /no such host|connection refused|network is unreachable|no route to host|i\/o timeout|server misbehaving|name resolution|Client\.Timeout/i.test(
    reason,
  );
}

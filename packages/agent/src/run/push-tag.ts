import { setTimeout as pause } from 'node:timers/promises';
import type { OutputImage } from '@berth/api';
import type { ImageReference } from '@berth/task-file';
import { EngineError } from '../engine/index.ts';
import { type ImageFacts, readImageFacts } from './registry/image-facts.ts';
import { RegistryAccess } from './registry/registry-access.ts';
import type { AttemptContext, RunScene } from './run-scene.ts';

/** Waits before the second and the third try, and the fourth (acr-tasks 1.2). */
const delaysMs = [250, 500, 1000];

export interface OnePush {
  readonly name: string;
  readonly reference: ImageReference;
  readonly context: AttemptContext;
}

/** What a registry has of a build afterwards. */
export interface PushedImage {
  readonly output: OutputImage;
  readonly facts: ImageFacts;
  /** By platform, with the engine's ids. Of an index, those that it lists; else the image itself. */
  readonly images: readonly { readonly facts: ImageFacts; readonly id: string | undefined }[];
}

export function outputOf({ registry, repository, tag }: ImageReference, facts: ImageFacts): OutputImage {
  const { digest, sizeBytes, platforms } = facts;
  return { registry, repository, tag, digest, sizeBytes, platforms: [...platforms] };
}

/** @returns what the registry has under the name afterwards @throws EngineError, RegistryRefused */
export async function pushTag(scene: RunScene, id: string | undefined, push: OnePush): Promise<ImageFacts> {
  const { name, reference, context } = push;
  const { signal } = context;
  const registry = new RegistryAccess(reference.registry, scene.host.assignment.logins, signal);
  for (let attempt = 1; ; attempt += 1) {
    context.say(`Pushing ${name}, try ${attempt}`);
    const { exitCode, digest, reason } = await pushOnce(scene, id, push);
    signal.throwIfAborted();
    const facts =
      exitCode === 0 ? await readImageFacts(registry, reference.repository, digest ?? reference.tag ?? 'latest') : undefined;
    if (facts !== undefined) return facts;
    const delayMs = delaysMs[attempt - 1];
    if (delayMs === undefined) throw new EngineError(reason);
    context.say(`The try failed; the next one is in ${delayMs} ms: ${reason}`);
    await pause(delayMs, undefined, { signal });
  }
}

async function pushOnce(
  { engine }: RunScene,
  id: string | undefined,
  { name, reference, context }: OnePush,
): Promise<{ readonly exitCode: number | null; readonly digest: string | undefined; readonly reason: string }> {
  const { signal } = context;
  // Another run may have given the name to an image of its own meanwhile.
  if (id !== undefined && engine.name === 'docker') await engine.tag(id, name, signal);
  const source = engine.name === 'docker' || id === undefined ? [name] : [id, `docker://${name}`];
  let digest: string | undefined;
  const { exitCode, lastLines } = await engine.command(['push', ...engine.plainHttpFlags(reference.registry), ...source], {
    signal,
    onLine: (stream, line) => {
      digest = /\bdigest: (sha256:[0-9a-f]{64})\b/.exec(line)?.[1] ?? digest;
      context.line(stream, line);
    },
  });
  return { exitCode, digest, reason: lastLines.at(-1) ?? `the engine ended with ${exitCode ?? 'a signal'}` };
}

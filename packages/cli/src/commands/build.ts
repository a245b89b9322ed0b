import type { RunSource, RunWork } from '@berth/api';
import { CommandError } from '../command-error.ts';
import type { Connection } from '../connection.ts';
import type { ImageOptions } from '../image-options.ts';
import { readArguments, readBuildSecrets, readSecretValues } from '../named-values.ts';
import type { Output } from '../output.ts';
import { prepareFolder } from '../packing/prepare-folder.ts';
import { type QueueOptions, queueFields, queueRun, reportPassedOver, sendFolder } from '../queue-run.ts';
import { readContext } from '../read-context.ts';
import { readInput } from '../read-input.ts';
import { type WatchOptions, watchRun } from '../watch-run.ts';

export interface BuildOptions extends QueueOptions, WatchOptions, ImageOptions {
  readonly tag?: readonly string[];
  readonly buildArg?: readonly string[];
  readonly secretBuildArg?: readonly string[];
  readonly secret?: readonly string[];
}

/** What a command of runs is called with. */
export interface Scene {
  readonly connection: Connection;
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `berth build`: sends a folder, or names a source, and has an agent build it. @throws CommandError */
export async function build({ connection, output, environment }: Scene, place: string, options: BuildOptions): Promise<void> {
  const context = readContext(place, environment['BERTH_GIT_TOKEN']);
  const images = [...imagesOf(options, connection)];
  if (images.length === 0 && options.push !== false) console.error('No image is named with --image: nothing is pushed.');
  const common = {
    kind: 'build' as const,
    images,
    isPushed: images.length > 0 && options.push !== false,
    ...(options.cache === false && { noCache: true }),
    ...(options.target !== undefined && { target: options.target }),
    ...(options.platform !== undefined && { platforms: platformsOf(options.platform) }),
    ...(options.sbom === true && { sbom: true }),
    ...(options.provenance === true && { provenance: true }),
    arguments: [
      ...readArguments('--build-arg', options.buildArg, environment),
      ...readSecretValues('--secret-build-arg', options.secretBuildArg, environment),
      ...readBuildSecrets(options.secret, environment),
    ],
  } satisfies Extract<RunWork, { kind: 'build' }>;
  if (context.kind === 'none')
    throw new CommandError(
      'a build needs files: a context of /dev/null has none',
      'name a folder, a git repository, an archive or oci://…',
    );
  let source: RunSource;
  let dockerfile = options.file;
  if (context.kind === 'remote') ({ source } = context);
  else {
    const choice = { wanted: options.file, readInput: () => readInput('the Dockerfile') };
    const prepared = await prepareFolder(context.path, { dockerfile: choice, onPassedOver: reportPassedOver });
    source = await sendFolder(connection, prepared);
    ({ dockerfile } = prepared);
  }
  const work: RunWork = { ...common, ...(dockerfile !== undefined && { dockerfile }) };
  const run = await queueRun(connection, { work, source, ...queueFields(options) });
  await watchRun(connection, output, { run, options });
}

/** The server puts its own name before them. */
function imagesOf({ image = [], tag = [] }: BuildOptions, { origin }: Connection): readonly string[] {
  const own = `${new URL(origin).host}/`;
  return [...image, ...tag].map((name) => (name.startsWith(own) ? name.slice(own.length) : name));
}

function platformsOf(texts: readonly string[]): string[] {
  const platforms = texts.flatMap((text) => text.split(',')).map((text) => text.trim().toLowerCase());
  return platforms.filter((text) => text !== '').map((text) => (text.includes('/') ? text : `${text}/amd64`));
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { BuildCommand, Step } from '@berth/task-file';
import { namedValues } from './child-values.ts';
import type { RunScene } from './run-scene.ts';
import { pathInWorkspace } from './workspace-path.ts';

/**
 * The files of a build's secrets, by id: secret arguments of the request, files of volumes that the step mounts (by their names),
 * and what `--secret` names: a file of such a volume or of the workspace, or a variable of the step.
 * @throws Error whose message goes on after `build`
 */
export async function buildSecrets(scene: RunScene, step: Step, build: BuildCommand): Promise<ReadonlyMap<string, string>> {
  const secrets = new Map<string, string>();
  for (const [id, value] of scene.plan.buildSecrets) secrets.set(id, await writeSecret(scene, step, { id, value }));
  const mounted = new Map<string, string>();
  for (const { name, mountPath } of step.volumeMounts) {
    const folder = await scene.resources.secretVolume(name);
    for (const file of scene.resources.secretFiles(name).keys()) {
      mounted.set(posix.join(mountPath, file), join(folder, file));
      secrets.set(file, join(folder, file));
    }
  }
  const environment = namedValues(step.environment);
  for (const text of build.secrets) {
    const options = new Map(text.split(',').map((part) => [part.split('=', 1)[0] ?? '', part.slice(part.indexOf('=') + 1)]));
    const [id, source] = [options.get('id'), options.get('src') ?? options.get('source')];
    const variable = options.get('env') ?? (source === undefined ? id : undefined);
    if (id === undefined || !/^[\w.-]+$/.test(id)) throw new Error(`has --secret ${text} without an id of letters and digits`);
    if (source !== undefined) {
      const path = mounted.get(posix.join(source)) ?? (await pathInWorkspace(scene.workspace, source, step.workingDirectory));
      if (path.includes(',')) throw new Error(`has --secret ${text}, a file with a comma in its name`);
      secrets.set(id, path);
      continue;
    }
    const value = environment.get(variable ?? '');
    if (value === undefined) throw new Error(`has --secret ${text}, but env of the step has no ${variable}`);
    secrets.set(id, await writeSecret(scene, step, { id, value }));
  }
  return secrets;
}

async function writeSecret(
  { host }: RunScene,
  step: Step,
  { id, value }: { readonly id: string; readonly value: string },
): Promise<string> {
  if (!/^[\w.-]+$/.test(id) || /^\.+$/.test(id))
    throw new Error(`has a secret with the name ${JSON.stringify(id)}; names are letters, digits, _, . and -`);
  host.mask(value);
  const folder = join(host.secretsFolder, 'build', step.id.replaceAll(/[^\w.-]/g, '-'));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, id);
  await writeFile(path, value, { mode: 0o600 });
  return path;
}

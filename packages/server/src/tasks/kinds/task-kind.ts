import { arm } from '@berth/api';
import { type Child, type ChildKind, type KindScene, invalid } from '../../resources/index.ts';
import { baseImageDependencies } from '../base-image-dependencies.ts';
import { readTask } from '../definition/read-task.ts';
import { readIdentity } from '../identity.ts';
import type { TaskProperties } from '../model.ts';
import { openText, sealText } from '../seal-secrets.ts';
import { showTask } from '../show-task.ts';
import type { TasksContext } from '../tasks-context.ts';
import { taskCollection } from '../queries.ts';
import { detailsDocument } from './details-document.ts';

/** Tasks as resources (acr-tasks 6.3). Their secrets are sealed within their properties, and shown by `listDetails` alone. */
export function taskKind(context: TasksContext): ChildKind<TaskProperties> {
  const { keys } = context;
  const read = (
    properties: Parameters<typeof readTask>[0],
    before: TaskProperties | undefined,
    scene: KindScene,
  ): TaskProperties => {
    const identity = readIdentity(scene, before?.identity);
    const seal = (text: string) => sealText(keys, scene.registry.id, text);
    return { ...readTask(properties, before, { seal }), ...(identity !== undefined && { identity }) };
  };
  return {
    collection: taskCollection,
    word: 'task',
    nameRule: { pattern: /^[A-Za-z0-9_-]{5,50}$/, words: '5 to 50 letters, digits, "-" and "_"' },
    isTracked: true,
    atMost: 1000,
    isCreatedQuietly: true,
    create: (properties, scene) => read(properties, undefined, scene),
    update: (before, properties, scene) => read(properties, before, scene),
    show: (child, scene) => shownTask(context, child, scene.registry.id),
    showBeside: ({ properties: { identity } }) => ({ identity: identity ?? null }),
    actions: [
      {
        operation: arm.runs.listTaskDetails,
        answer: async (child, { registry }) => {
          const task = child;
          return detailsDocument(taskCollection, registry, task, {
            identity: task.properties.identity ?? null,
            properties: await taskDetails(context, task, registry.id),
          });
        },
      },
    ],
    changed: ({ registry, name }) => context.taskChanged(registry, name),
  };
}

type NamedTask = Pick<Child<TaskProperties>, 'name' | 'createdAt' | 'properties'>;
type Shown = Readonly<Record<string, unknown>>;

/** What everybody may see who may see the task. */
export async function shownTask({ database }: TasksContext, task: NamedTask, registryId: number): Promise<Shown> {
  const { identity: _identity, ...properties } = task.properties;
  const baseImages = await baseImageDependencies(database.read, registryId, task.name);
  return { creationDate: new Date(task.createdAt).toISOString(), ...showTask(properties, baseImages) };
}

/** All of it, secrets opened. @throws KEY_UNAVAILABLE */
export async function taskDetails({ database, keys }: TasksContext, task: NamedTask, registryId: number): Promise<Shown> {
  const { identity: _identity, ...properties } = task.properties;
  const baseImages = await baseImageDependencies(database.read, registryId, task.name);
  return {
    provisioningState: 'Succeeded',
    creationDate: new Date(task.createdAt).toISOString(),
    ...showTask(properties, baseImages, (secret) => openText(keys, registryId, secret)),
  };
}

/** @throws INVALID_PARAMETER */
export function requireTaskName(name: string): void {
  if (!/^[A-Za-z0-9_-]{5,50}$/.test(name)) throw invalid('name', 'of a task must be 5 to 50 letters, digits, "-" and "_"');
}

import { tasks } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { readJson } from '../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import {
  type ChildKind,
  type ChildrenContext,
  Fields,
  findChild,
  patchChild,
  putChild,
  removeChild,
} from '../resources/index.ts';
import { requireTaskName, shownTask } from './kinds/task-kind.ts';
import type { Task } from './model.ts';
import { allTasks, findTask } from './queries.ts';
import { runOfTask } from './run-of-task.ts';
import { keepSecret, listSecrets, removeSecret } from './secrets/secret-store.ts';
import type { TasksContext } from './tasks-context.ts';

/** Tasks and secrets as `berth` asks for them; the same rows and rules as those of the resource manager. */
export function taskRoutes(context: TasksContext, kind: ChildKind): readonly Route[] {
  const children: ChildrenContext = {
    database: context.database,
    clock: context.clock,
    kinds: [kind],
    limitOf: () => undefined,
  };
  return [
    {
      operation: tasks.listTasks,
      handle: async ({ registry }) => {
        const found = await allTasks(context.database.read, registry.id);
        const shown = await Promise.all(found.map((task) => taskDocument(context, task)));
        return answer({ tasks: shown });
      },
    },
    {
      operation: tasks.getTask,
      handle: async (request) => answer(await taskDocument(context, await requireTask(context, request))),
    },
    { operation: tasks.putTask, handle: (request) => putTask(context, { kind, children }, request) },
    { operation: tasks.updateTask, handle: (request) => updateTask(context, { kind, children }, request) },
    {
      operation: tasks.deleteTask,
      handle: async (request) => {
        const { registry } = request;
        const { name } = await requireTask(context, request);
        await removeChild(children, kind, { registry, name });
        return { status: 204 };
      },
    },
    { operation: tasks.runTask, handle: (request) => runTask(context, request) },
    {
      operation: tasks.listSecrets,
      handle: async ({ registry }) => answer({ secrets: await listSecrets(context, registry.id) }),
    },
    {
      operation: tasks.putSecret,
      handle: async (request) => {
        const { value } = await readJson(request, tasks.putSecret.body);
        return answer(await keepSecret(context, request.registry.id, { name: request.params['secret'] ?? '', value }));
      },
    },
    {
      operation: tasks.deleteSecret,
      handle: async ({ registry, params }) => {
        await removeSecret(context, registry.id, params['secret'] ?? '');
        return { status: 204 };
      },
    },
  ];
}

async function putTask(
  context: TasksContext,
  { kind, children }: { readonly kind: ChildKind; readonly children: ChildrenContext },
  request: RouteRequest,
): Promise<Reply> {
  const { registry, principal } = request;
  const name = request.params['task'] ?? '';
  requireTaskName(name);
  const { body, maxBodyBytes } = tasks.putTask;
  const document = new Fields(await readJson(request, body, maxBodyBytes), '');
  const { isNew } = await putChild(children, kind, {
    registry,
    name,
    document,
    by: principal.name,
    requestedBy: principal.id,
    location: context.region,
    tags: undefined,
  });
  return { ...answer(await taskDocument(context, await requireTask(context, request))), status: isNew ? 201 : 200 };
}

async function updateTask(
  context: TasksContext,
  { kind, children }: { readonly kind: ChildKind; readonly children: ChildrenContext },
  request: RouteRequest,
): Promise<Reply> {
  const { registry, principal } = request;
  const { name } = await requireTask(context, request);
  const { body, maxBodyBytes } = tasks.updateTask;
  await patchChild(children, kind, {
    registry,
    name,
    document: new Fields(await readJson(request, body, maxBodyBytes), ''),
    by: principal.name,
    requestedBy: principal.id,
    tags: undefined,
    before: async () =>
      (await findChild(context.database.read, { registryId: registry.id, kind: kind.collection, name })) ?? notFound(name),
  });
  return answer(await taskDocument(context, await requireTask(context, request)));
}

async function runTask(context: TasksContext, request: RouteRequest): Promise<Reply> {
  const { registry, principal } = request;
  const overrides = await readJson(request, tasks.runTask.body, tasks.putTask.maxBodyBytes);
  const task = await requireTask(context, request);
  const run = await runOfTask(context, { registry, task, requestedBy: principal.id, overrides });
  const facts = await context.runs.queue(run);
  return { ...answer(await context.runs.document(facts)), status: 202 };
}

/** @throws NOT_FOUND */
async function requireTask({ database }: TasksContext, { registry, params }: RouteRequest): Promise<Task> {
  const name = params['task'] ?? '';
  const task = await findTask(database.read, registry.id, name);
  return task ?? notFound(name);
}

function notFound(name: string): never {
  throw new RegistryError('NOT_FOUND', { message: `there is no task ${JSON.stringify(name.slice(0, 64))}` });
}

async function taskDocument(context: TasksContext, task: Task): Promise<object> {
  const { registryId, name, createdAt, updatedAt } = task;
  return {
    name,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
    properties: await shownTask(context, task, registryId),
  };
}

function answer(json: unknown): Reply {
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json } };
}

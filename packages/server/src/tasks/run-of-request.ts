import { RegistryError } from '../errors/index.ts';
import type { NewRun } from '../runs/index.ts';
import type { RequestedRun } from './model.ts';
import { parseRunRequest } from './parse-run-request.ts';
import { findTask } from './queries.ts';
import { resolveLogins } from './resolve-logins.ts';
import { runOfTask } from './run-of-task.ts';
import type { TasksContext } from './tasks-context.ts';

/** What a request of the resource manager asks for. @throws INVALID_PARAMETER, RESOURCE_NOT_FOUND, KEY_UNAVAILABLE, UPSTREAM_FAILED */
export async function runOfRequest(
  context: TasksContext,
  { registry, body, requestedBy }: RequestedRun,
): Promise<{ readonly run: NewRun; readonly isArchiveEnabled: boolean }> {
  const parsed = parseRunRequest(body);
  const { isArchiveEnabled } = parsed;
  if (parsed.kind === 'task') {
    const task = await findTask(context.database.read, registry.id, parsed.task);
    if (task === undefined)
      throw new RegistryError('RESOURCE_NOT_FOUND', {
        message: `the registry ${registry.name} has no task ${parsed.task}`,
        target: body.at('taskId'),
      });
    return { isArchiveEnabled, run: await runOfTask(context, { registry, task, requestedBy, overrides: parsed.overrides }) };
  }
  const { credentials, request, runType } = parsed;
  const named = [...(credentials?.customRegistries?.values() ?? [])].filter((login) => login !== null);
  const logins = await resolveLogins(context, registry, named);
  return {
    isArchiveEnabled,
    run: {
      registry,
      request: { ...request, ...(logins.length > 0 && { logins: [...logins] }) },
      runType,
      requestedBy,
      isTrusted: true,
      ...(credentials?.sourceRegistry?.loginMode === 'None' && { access: [] }),
    },
  };
}

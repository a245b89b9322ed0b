import type { RunToQueue } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import { findRun } from './queries.ts';
import { plainRepositories } from './queue/check-run.ts';
import type { PlainRunRow } from './run-facts.ts';
import type { RunsContext } from './runs-context.ts';

/** Whoever runs the registry may run anything, and sees every run. */
export function mayRunAnything(principal: Principal): boolean {
  return principal.permits({ type: 'operator' });
}

/** Others build images that they may push, from images that they may pull. @throws DENIED, INVALID_PARAMETER */
export function requireBuilder(principal: Principal, { work, logins = [] }: RunToQueue): void {
  requirePerson(principal);
  if (work.kind !== 'build')
    throw denied('task files and commands are run for whoever runs the registry: sign in as the admin user, with its password');
  if (logins.length > 0) throw denied('other registries are used by runs of whoever runs the registry');
  for (const name of new Set(plainRepositories(work.images))) {
    if (!principal.permits({ type: 'repository', name, action: 'push' })) throw denied(`you may not push to ${name}`);
  }
}

/** Whoever may upload the files of a run. @throws DENIED */
export function requirePerson(principal: Principal): void {
  // Runs that begin runs would have no end.
  if (['anonymous', 'agent', 'run'].includes(principal.kind)) throw denied('this needs a user, a token or an identity');
  if (!mayRunAnything(principal) && !principal.permits({ type: 'repository', name: '*', action: 'pull' }))
    throw denied('a build may pull from every repository, so whoever asks for one must be allowed to');
}

/** The run that a request names, if whoever asks may know of it (attack 23). @throws NOT_FOUND */
export async function requireVisible(
  { database }: Pick<RunsContext, 'database'>,
  {
    registry,
    principal,
    params,
  }: { readonly registry: Registry; readonly principal: Principal; readonly params: Readonly<Record<string, string>> },
): Promise<PlainRunRow> {
  const id = params['run'] ?? '';
  const row = await findRun(database.read, registry.id, id);
  if (row !== undefined && (row.requested_by === principal.id || mayRunAnything(principal))) return row;
  throw new RegistryError('NOT_FOUND', { message: `there is no run ${JSON.stringify(id.slice(0, 40))}` });
}

function denied(message: string): RegistryError {
  return new RegistryError('DENIED', { message });
}

import type { RunWork } from '@berth/api';
import { type OciError, parseRepositoryName } from '@berth/oci';
import type { Registry } from '../../tenancy/index.ts';
import type { NewRun, RunAccess } from '../model.ts';

const everything = '*';
const catalog: RunAccess = { type: 'registry', name: 'catalog', actions: ['*'] };

/** What a run may do with its registry when whoever queues it does not say: no more than work of its kind needs. */
export function accessOf({ access, isTrusted, request: { work }, registry }: NewRun): readonly RunAccess[] {
  // Whatever a fork asks for, it changes nothing here (attack 33).
  if (!isTrusted) return [{ type: 'repository', name: everything, actions: ['pull'] }];
  if (access !== undefined) return access;
  if (work.kind !== 'build')
    return [
      { type: 'repository', name: everything, actions: ['pull', 'push', 'metadata_read', 'metadata_write', 'delete'] },
      catalog,
    ];
  const pushed = work.isPushed === false ? [] : repositoriesOf(work, registry);
  return [
    ...pushed.map((name) => ({ type: 'repository' as const, name, actions: ['push', 'pull', 'metadata_read'] })),
    { type: 'repository', name: everything, actions: ['pull', 'metadata_read'] },
  ];
}

/** Repositories of the registry that a build pushes to; `*` when a template says only later which one. */
function repositoriesOf({ images }: Extract<RunWork, { kind: 'build' }>, registry: Registry): readonly string[] {
  const names = images.map((image) => {
    const text = image
      .replaceAll(/\{\{ *\.Run\.Registry *\}\}/g, registry.loginServer)
      .replaceAll(/\{\{ *\.Run\.RegistryName *\}\}/g, registry.name);
    const prefix = `${registry.loginServer.toLowerCase()}/`;
    const path = text.toLowerCase().startsWith(prefix) ? text.slice(prefix.length) : text;
    const colon = path.indexOf(':');
    const repository = colon === -1 ? path : path.slice(0, colon);
    return isRepository(repository) ? repository : everything;
  });
  return [...new Set(names)];
}

function isRepository(text: string): boolean {
  try {
    return parseRepositoryName(text) === text;
  } catch (error) {
    if ((error as OciError).name === 'OciError') return false;
    throw error;
  }
}

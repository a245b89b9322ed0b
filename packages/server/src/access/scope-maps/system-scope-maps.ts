/** A map that every registry has, and nobody changes. */
export interface SystemScopeMap {
  readonly name: string;
  readonly description: string;
  readonly actions: readonly string[];
}

/** All over all repositories (acr-api 2.6). */
export const systemScopeMaps: readonly SystemScopeMap[] = [
  systemMap('_repositories_pull', 'Can pull any repository of the registry', ['content/read']),
  systemMap('_repositories_pull_metadata_read', 'Can perform all read operations on the registry', [
    'content/read',
    'metadata/read',
  ]),
  systemMap('_repositories_push', 'Can push to any repository of the registry', ['content/read', 'content/write']),
  systemMap('_repositories_push_metadata_write', 'Can perform all read and write operations on the registry', [
    'content/read',
    'content/write',
    'metadata/read',
    'metadata/write',
  ]),
  systemMap('_repositories_admin', 'Can perform all read, write and delete operations on the registry', [
    'metadata/read',
    'metadata/write',
    'content/read',
    'content/write',
    'content/delete',
  ]),
];

function systemMap(name: string, description: string, verbs: readonly string[]): SystemScopeMap {
  return { name, description, actions: verbs.map((verb) => `repositories/*/${verb}`) };
}

import { maxRepositoryNameLength, parseRepositoryName } from '@berth/oci';
import { RegistryError } from '../../errors/index.ts';

/** What a scope map can allow in a repository, as it spells it. */
export type ScopeMapVerb = 'content/read' | 'content/write' | 'content/delete' | 'metadata/read' | 'metadata/write';

export type ScopeMapAction =
  | {
      readonly kind: 'repositories';
      /** `*`, a name, or a name and `/*`. */
      readonly repositories: string;
      readonly verb: ScopeMapVerb;
    }
  /** Of the synchronisation of connected registries. */
  | { readonly kind: 'gateway'; readonly connectedRegistry: string; readonly verb: string };

const verbs: readonly ScopeMapVerb[] = ['content/read', 'content/write', 'content/delete', 'metadata/read', 'metadata/write'];
const gatewayVerbs: readonly string[] = ['config/read', 'config/write', 'message/read', 'message/write'];
const maxActions = 500;
const maxRepositories = 500;
const maxLength = 'repositories/'.length + maxRepositoryNameLength + '/*/metadata/write'.length;

/**
 * Reads the actions of a scope map (acr-api 2.6); one that comes twice counts once.
 * @throws INVALID_PARAMETER naming the action
 */
export function parseScopeMapActions(texts: readonly string[]): readonly ScopeMapAction[] {
  if (texts.length > maxActions) throw refused(`a scope map has at most ${maxActions} actions, here are ${texts.length}`);
  const actions = [...new Set(texts)].map(parseAction);
  const repositories = new Set(actions.flatMap((action) => (action.kind === 'repositories' ? [action.repositories] : [])));
  if (repositories.size > maxRepositories)
    throw refused(`a scope map names at most ${maxRepositories} repositories, here are ${repositories.size}`);
  return actions;
}

function parseAction(text: string): ScopeMapAction {
  if (text.length > maxLength) throw problem(text, `it is longer than ${maxLength} characters`);
  const parts = text.split('/');
  const verb = parts.slice(-2).join('/');
  const subject = parts.slice(1, -2).join('/');
  if (parts[0] === 'repositories') return parseRepositoryAction(text, subject, verb);
  if (parts[0] === 'gateway') return parseGatewayAction(text, subject, verb);
  throw problem(text, 'it begins with neither "repositories/" nor "gateway/"');
}

function parseRepositoryAction(text: string, repositories: string, verb: string): ScopeMapAction {
  const known = verbs.find((each) => each === verb);
  if (known === undefined) throw problem(text, `it ends with none of ${verbs.map((each) => `"/${each}"`).join(', ')}`);
  const wrong = repositoriesProblem(repositories);
  if (wrong !== undefined) throw problem(text, wrong);
  return { kind: 'repositories', repositories, verb: known };
}

function repositoriesProblem(repositories: string): string | undefined {
  if (repositories === '') return 'it names no repository';
  if (repositories === '*') return undefined;
  const name = repositories.endsWith('/*') ? repositories.slice(0, -2) : repositories;
  if (name.includes('*')) return 'a wildcard stands alone or after the last slash of the name, as in "team/*", once';
  try {
    parseRepositoryName(name);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'its repository is not valid';
  }
}

function parseGatewayAction(text: string, connectedRegistry: string, verb: string): ScopeMapAction {
  if (!gatewayVerbs.includes(verb))
    throw problem(text, `it ends with none of ${gatewayVerbs.map((each) => `"/${each}"`).join(', ')}`);
  if (!/^[a-z0-9]{5,50}$/i.test(connectedRegistry)) throw problem(text, 'a connected registry has 5 to 50 letters and digits');
  return { kind: 'gateway', connectedRegistry, verb };
}

function problem(text: string, why: string): RegistryError {
  const shown = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return refused(`the action ${JSON.stringify(shown)} is not valid: ${why}`);
}

function refused(message: string): RegistryError {
  return new RegistryError('INVALID_PARAMETER', { message, target: 'properties.actions' });
}

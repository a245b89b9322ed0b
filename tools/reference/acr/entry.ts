/** One operation of ACR: `METHOD path`, with `SUB`, `RG`, `RP` and `R` for the resource manager's long beginnings. */
export interface AcrOperation {
  readonly operation: string;
  /** The id of the operation of the contract that answers it. */
  readonly by?: string;
  /** How Berth's answer differs. */
  readonly differs?: string;
  /** Why nothing answers it. */
  readonly notYet?: string;
}

export interface AcrGroup {
  readonly title: string;
  readonly operations: readonly AcrOperation[];
}

export const works = (operation: string, by: string): AcrOperation => ({ operation, by });
export const differs = (operation: string, by: string, how: string): AcrOperation => ({ operation, by, differs: how });
export const notYet = (operation: string, why: string): AcrOperation => ({ operation, notYet: why });

const verbsOfItem = ['GET', 'PUT', 'PATCH', 'DELETE'] as const;
type VerbOfItem = (typeof verbsOfItem)[number];

/** The five operations of a collection of children that the contract has. `one` is the word in their ids, `how` what writing differs in. */
export function collection(path: string, one: string, how?: string): readonly AcrOperation[] {
  const written = (operation: string, id: string): AcrOperation =>
    how === undefined ? works(operation, id) : differs(operation, id, how);
  return [
    works(`GET ${path}`, `arm-list-${one}`),
    works(`GET ${path}/{name}`, `arm-get-${one}`),
    written(`PUT ${path}/{name}`, `arm-put-${one}`),
    written(`PATCH ${path}/{name}`, `arm-patch-${one}`),
    works(`DELETE ${path}/{name}`, `arm-delete-${one}`),
  ];
}

/** The operations of a collection that is not there. */
export function noCollection(path: string, why: string, verbs: readonly VerbOfItem[] = verbsOfItem): readonly AcrOperation[] {
  return [notYet(`GET ${path}`, why), ...verbs.map((verb) => notYet(`${verb} ${path}/{name}`, why))];
}

const beginnings: Readonly<Record<string, string>> = {
  SUB: '/subscriptions/{}',
  RG: '/subscriptions/{}/resourceGroups/{}',
  RP: '/providers/Microsoft.ContainerRegistry',
  R: '/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerRegistry/registries/{}',
};

/** `METHOD /path` with the abbreviations written out and nameless parameters, so that two spellings of one operation are equal. */
export function plainRoute(operation: string): string {
  const [method = '', path = ''] = operation.split(' ');
  const segments = path.split('/').map((segment, index) => {
    const long = beginnings[segment];
    if (long === undefined) return segment;
    return index === 0 ? long : long.slice(1);
  });
  return `${method} ${segments.join('/').replaceAll(/\{[^}]*\}/g, '{}')}`;
}

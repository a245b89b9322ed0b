import {
  type Operation,
  type Permission,
  access,
  acr,
  agents,
  arm,
  audit,
  cleanup,
  cloud,
  distribution,
  health,
  identities,
  runs,
  signedBlobs,
  tasks,
  upkeep,
  usage,
} from '@berth/api';

export interface OperationGroup {
  readonly title: string;
  readonly operations: readonly Operation[];
}

/** The operations of the contract, in the order of the reference. */
export const operationGroups: readonly OperationGroup[] = [
  { title: 'Distribution', operations: inOrder(distribution) },
  { title: 'ACR', operations: inOrder(acr) },
  { title: 'Access', operations: inOrder(access) },
  { title: 'Cloud and sign-in', operations: inOrder(cloud) },
  { title: 'Resource manager', operations: sorted(arm.operations) },
  { title: 'Cleanup', operations: inOrder(cleanup) },
  { title: 'Directory', operations: inOrder(identities) },
  { title: 'Runs', operations: inOrder(runs) },
  { title: 'Tasks', operations: inOrder(tasks) },
  { title: 'Agents', operations: inOrder(agents) },
  { title: 'Signed addresses', operations: inOrder(signedBlobs) },
  { title: 'Audit', operations: inOrder(audit) },
  { title: 'Usage', operations: inOrder(usage) },
  { title: 'Upkeep', operations: inOrder(upkeep) },
  { title: 'Health', operations: inOrder(health) },
];

function inOrder(operations: Readonly<Record<string, Operation>>): readonly Operation[] {
  return sorted(Object.values(operations));
}

function sorted(operations: readonly Operation[]): readonly Operation[] {
  const key = ({ path, method }: Operation): string => `${path} ${method}`;
  return operations.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Whom an operation lets in, in words. */
export function describePermission(permission: Permission): string {
  switch (permission.kind) {
    case 'public':
      return `anybody: ${permission.reason}`;
    case 'authenticated':
      return 'anybody who is signed in';
    case 'catalog':
      return '`registry:catalog:*`';
    case 'repository':
      return `\`repository:{name}:${permission.actions.join(',')}\`${permission.instead === undefined ? '' : `, or \`${permission.instead}\``}`;
    case 'deleted-catalog':
      return '`registry:deleted_catalog:*`';
    case 'operator':
      return 'the admin user of the registry';
    case 'deployment':
      return 'the admin user of the default registry';
    case 'agent':
      return 'an agent, by its key';
    case 'region':
      return 'another region, by the key that regions share';
    case 'management':
      return 'whoever is signed in to the resource manager';
    case 'resource':
      return `\`${permission.action}\``;
  }
}

import { table } from '../markdown.ts';
import { operationGroups } from '../operations.ts';
import type { AcrOperation } from './entry.ts';
import { acrGroups } from './groups.ts';
import { acrProblems } from './problems.ts';

/** Groups of the contract that answer ACR's clients: each of their operations must stand in the page. */
const answering: readonly string[] = ['Distribution', 'ACR', 'Access', 'Cloud and sign-in', 'Resource manager'];

/** Every operation of ACR, and whether Berth answers it. @throws Error when the list and the contract do not fit */
export function acrPage(): string {
  const all = acrGroups.flatMap(({ operations }) => operations);
  const contract = operationGroups.filter(({ title }) => answering.includes(title)).flatMap(({ operations }) => operations);
  const problems = acrProblems(all, contract);
  if (problems.length > 0) throw new Error(`tools/reference/acr does not fit the contract:\n${problems.join('\n')}`);
  const count = (word: string): number => all.filter((each) => wordFor(each) === word).length;
  const groups = acrGroups.map(
    ({ title, operations }) => `## ${title}\n\n${table(['operation', '', 'how, or what it is part of'], operations.map(rowOf))}`,
  );
  return `# Compatibility with Azure Container Registry

Generated from the contract and \`tools/reference/acr\` by \`npm run docs\`. Of ${all.length} operations ${count('works')} work, ${count('differs')} work
and differ as it says, ${count('not yet')} are not there yet.

\`SUB\` is \`/subscriptions/{id}\`, \`RG\` is \`SUB/resourceGroups/{name}\`, \`RP\` is \`providers/Microsoft.ContainerRegistry\`, \`R\` is
\`RG/RP/registries/{name}\`. Any \`api-version\` is taken. How to use Azure's clients: [azure-cli](../guides/azure-cli.md),
[azure-sdks](../guides/azure-sdks.md).

${groups.join('\n')}`;
}

function wordFor({ differs, notYet }: AcrOperation): string {
  if (notYet !== undefined) return 'not yet';
  return differs === undefined ? 'works' : 'differs';
}

function rowOf(operation: AcrOperation): string[] {
  return [`\`${operation.operation}\``, wordFor(operation), operation.notYet ?? operation.differs ?? ''];
}

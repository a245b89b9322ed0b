import type { Operation } from '@berth/api';
import { table } from './markdown.ts';
import { describePermission, operationGroups } from './operations.ts';

/** Every request that the server answers. */
export function operationsPage(): string {
  const groups = operationGroups.map(({ title, operations }) => `## ${title}\n\n${operations.map(describe).join('\n')}`);
  return `# Operations

Generated from the contract (\`packages/api\`) by \`npm run docs\`. The same as OpenAPI: [openapi.json](openapi.json). \`{name}\`
is a repository name and may hold slashes. Every operation may answer with \`UNAUTHORIZED\`, \`DENIED\`, \`NAME_INVALID\`,
\`TOOMANYREQUESTS\`, \`UNAVAILABLE\` or \`INTERNAL\`; the others are named. See [errors](errors.md).

${groups.join('\n')}`;
}

function describe(operation: Operation): string {
  const { method, path, summary, source, permission, responses, errors, query } = operation;
  const facts = [
    ['needs', describePermission(permission)],
    ['rule', source],
    ...(query === undefined
      ? []
      : [
          [
            'query',
            Object.keys(query.properties)
              .map((name) => `\`${name}\``)
              .join(', '),
          ],
        ]),
    ...Object.entries(responses).map(([status, { description, headers = [] }]) => {
      const named = headers.length === 0 ? '' : ` (${headers.map((header) => `\`${header}\``).join(', ')})`;
      return [status, `${description}${named}`];
    }),
    ...(errors.length === 0 ? [] : [['errors', errors.map((error) => `\`${error}\``).join(', ')]]),
  ];
  return `### \`${method} ${path}\`\n\n${summary}\n\n${table(['', ''], facts)}`;
}

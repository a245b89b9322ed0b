import { type ErrorName, catalogue, catalogueRow } from '../../packages/server/src/errors/index.ts';
import { table } from './markdown.ts';

/** Every answer that is not success. */
export function errorsPage(): string {
  const names = (Object.keys(catalogue) as ErrorName[]).toSorted();
  const rows = names.map((name) => {
    const { status, code, message, hint } = catalogueRow(name);
    return [`\`${name}\``, String(status), `\`${code ?? name}\``, message, hint ?? ''];
  });
  return `# Errors

Generated from the error catalogue by \`npm run docs\`. A client sees the code and the message (often a more exact one than
here), in the envelope of the OCI distribution specification: \`{"errors":[{"code":…,"message":…,"detail":…}]}\`. Each
answer carries \`X-Request-Id\`; the server's log has the same id.

${table(['name', 'status', 'code on the wire', 'message', 'what to do'], rows)}`;
}

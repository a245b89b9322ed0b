/** What `az` puts before every task file that it sends with a request or a task. */
const preamble = 'version: v1.1.0\n';

/**
 * A task file without the version that the Azure CLI put before it, when it has one of its own: that one counts, and lines are counted as
 * its author counts them.
 */
export function withOwnVersion(content: string): string {
  const rest = content.startsWith(preamble) ? content.slice(preamble.length) : undefined;
  return rest !== undefined && /^version[ \t]*:/m.test(rest) ? rest : content;
}

import { OciError, quoted } from './oci-error.ts';

/** Lower-case path components joined by slashes, as the OCI distribution specification defines `<name>`. */
export type RepositoryName = string & { readonly __brand: 'RepositoryName' };

/** What clients can still address together with a host name. */
export const maxRepositoryNameLength = 255;

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

/** @throws OciError NAME_INVALID */
export function parseRepositoryName(text: string): RepositoryName {
  const problem = problemOf(text);
  if (problem !== undefined)
    throw new OciError('NAME_INVALID', `${quoted(text)} is not a repository name: ${problem}`, { name: text.slice(0, 300) });
  return text as RepositoryName;
}

function problemOf(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text.length > maxRepositoryNameLength) return `it has ${text.length} characters, ${maxRepositoryNameLength} are allowed`;
  for (const part of text.split('/')) {
    if (part === '') return 'it begins or ends with a slash, or has two in a row';
    if (component.test(part)) continue;
    if (/[A-Z]/.test(part)) return 'upper-case letters are not allowed';
    return `the part ${quoted(part)} must be lower-case letters and digits, separated by single dots, one or two underscores, or hyphens`;
  }
  return undefined;
}

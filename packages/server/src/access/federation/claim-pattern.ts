/** Whether a value is what a pattern says, from its first letter to its last; `*` stands for any run of letters. */
export function matchesPattern(value: string, pattern: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return value === pattern;
  if (value.length < head.length + tail.length || !value.startsWith(head) || !value.endsWith(tail)) return false;
  const end = value.length - tail.length;
  // The leftmost place of each part leaves the most room for those behind it: no way back is ever needed.
  let at = head.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** An issuer that signs for everybody in the world, and the claims that tell its customers apart. */
interface PublicIssuer {
  readonly host: string;
  readonly claims: readonly string[];
  /** What values begin with before the name of the customer. */
  readonly prefixes?: readonly string[];
}

const publicIssuers: readonly PublicIssuer[] = [
  {
    host: 'token.actions.githubusercontent.com',
    claims: [
      'sub',
      'repository',
      'repository_id',
      'repository_owner',
      'repository_owner_id',
      'workflow_ref',
      'job_workflow_ref',
      'enterprise',
      'enterprise_id',
    ],
    prefixes: ['repo:', 'repository:', 'repository_owner:', 'repository_owner_id:', 'repository_id:', 'job_workflow_ref:'],
  },
  {
    host: 'gitlab.com',
    claims: ['sub', 'project_path', 'project_id', 'namespace_path', 'namespace_id', 'ci_config_ref_uri'],
    prefixes: ['project_path:', 'gitlab.com/', '//gitlab.com/'],
  },
  { host: 'vstoken.dev.azure.com', claims: ['sub'], prefixes: ['sc://', 'p://'] },
  { host: 'login.microsoftonline.com', claims: ['sub', 'oid', 'appid', 'azp', 'groups', 'roles', 'wids'] },
  { host: 'sts.windows.net', claims: ['sub', 'oid', 'appid', 'azp', 'groups', 'roles', 'wids'] },
];

/**
 * Of an issuer that signs for everybody: the claims of which one must say whose tokens are meant, when none of the
 * patterns does. `repo:acme/*` does; `repo:*` is everybody, and `repo:acme*` is whoever calls himself `acme-too`.
 */
export function missingNarrowClaim(issuer: string, claims: Readonly<Record<string, string>>): readonly string[] | undefined {
  const host = URL.canParse(issuer) ? new URL(issuer).hostname : '';
  const known = publicIssuers.find((each) => each.host === host);
  if (known === undefined) return undefined;
  const isNarrow = known.claims.some((name) => Object.hasOwn(claims, name) && namesCustomer(claims[name] ?? '', known));
  return isNarrow ? undefined : known.claims;
}

/** Whether there is a whole name before the first `*`. */
function namesCustomer(pattern: string, { prefixes = [] }: PublicIssuer): boolean {
  const star = pattern.indexOf('*');
  const fixed = star === -1 ? pattern : pattern.slice(0, star);
  const prefix = prefixes.find((each) => fixed.startsWith(each)) ?? '';
  const name = fixed.slice(prefix.length);
  return star === -1 ? name !== '' : /^[^/:]+[/:]/.test(name);
}

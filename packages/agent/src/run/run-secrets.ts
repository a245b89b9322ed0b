import type { Assignment } from '@berth/api';

/** What a run knows from its start on, and must not tell. */
export function secretsOf({ lease, logins, values, work, source }: Assignment): readonly string[] {
  const named = [...values, ...(work.kind === 'build' ? (work.arguments ?? []) : [])];
  return [
    lease,
    ...logins.map(({ password }) => password),
    ...named.filter(({ isSecret }) => isSecret === true).map(({ value }) => value),
    ...(source?.kind === 'git' && source.token !== undefined ? [source.token] : []),
  ];
}

const steps: readonly (readonly [complaint: RegExp, step: string])[] = [
  [
    /Host key verification failed/,
    'The agent does not know the key of that host: compare it, and add it to the known_hosts of the user that runs the agent',
  ],
  [
    /Permission denied \([^)]*publickey/,
    'Give the user that runs the agent a key that may read it, or take its https:// address and a token',
  ],
  [/cannot run ssh/, 'Install ssh where the agent runs, or take its https:// address'],
  [/Could not resolve|Connection refused|timed out|No route|unreachable/i, 'See that the agent can reach it'],
  [/does not appear to be a git repository/, 'Check the address'],
  [/could not read|Authentication failed|terminal prompts disabled|403|401/i, 'If it is private give a token that may read it'],
  [/not found|does not exist|404/i, 'Check the address; if the repository is private give a token that may read it'],
];

/** What to do about a repository that git could not read; the first complaint that fits decides. */
export function nextStepOf(complaint: string): string {
  return steps.find(([pattern]) => pattern.test(complaint))?.[1] ?? 'See that the agent can reach it';
}

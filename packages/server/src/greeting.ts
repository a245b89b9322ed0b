import type { RunningServer } from './assemble.ts';

/** What a person reads when the server is up. The line "berth listens on …" is also read by programs. */
export function greeting(server: RunningServer): string {
  const { firstRun } = server;
  return [
    `berth listens on ${server.origin}`,
    '',
    ...(firstRun === undefined
      ? [`  sign in    docker login ${server.loginServer} --username local`, `             (first password: ${server.firstRunFile}, unless you changed it)`]
      : [`  sign in    docker login ${firstRun.loginServer} --username ${firstRun.username} --password ${firstRun.password}`, `             (shown once; kept in ${server.firstRunFile})`]),
    `  data       ${server.dataDir}`,
    `  keys       ${server.keyFile}`,
    '             Back this file up, apart from the data: without it nothing stored can be read again.',
  ].join('\n');
}

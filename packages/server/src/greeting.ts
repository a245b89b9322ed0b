import type { ServerFacts } from './start-service.ts';

/** What a person reads when the server is up. The first line is also read by programs. */
export function greeting(facts: ServerFacts): string {
  const { loginServer, firstRun, firstRunFile, authorityFile } = facts;
  const lines = [
    `berth listens on ${facts.origin}`,
    '',
    ...(firstRun === undefined
      ? [
          line('sign in', `docker login ${loginServer} --username local`),
          line('', `The first password is in ${firstRunFile}, unless you chose or changed it.`),
        ]
      : [
          line('sign in', `docker login ${loginServer} --username ${firstRun.username} --password ${firstRun.password}`),
          line('', `Shown only this once; kept in ${firstRunFile}, which only you can read.`),
        ]),
    ...(authorityFile === undefined ? [] : trustLines(loginServer, authorityFile)),
    line('data', facts.dataDir),
    line('keys', facts.keyFile),
    line('', 'Back this file up, apart from the data: whoever loses it loses everything stored here.'),
  ];
  return lines.join('\n');
}

function trustLines(loginServer: string, authorityFile: string): readonly string[] {
  return [
    line('trust', authorityFile),
    line('', `sudo install -D -m 644 ${authorityFile} /etc/docker/certs.d/${loginServer}/ca.crt`),
    line('', 'Other clients: docs/guides/tls.md'),
  ];
}

function line(title: string, text: string): string {
  return `  ${title.padEnd(9)}${text}`;
}

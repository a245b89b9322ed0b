import { optionNames, optionOf } from './option-table.ts';

export function helpText(): string {
  const rows = optionNames.map((name) => {
    const { value, help } = optionOf(name);
    return [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const;
  });
  const width = 24;
  const lines = rows.map(([left, help]) =>
    left.length < width ? `  ${left.padEnd(width)}${help}` : `  ${left}\n  ${' '.repeat(width)}${help}`,
  );
  return `Executes the runs of a Berth server with a container engine of this machine.

  BERTH_SERVER=https://registry.example.com BERTH_AGENT_KEY_FILE=/etc/berth/agent-key berth agent --concurrency 2

Environment:
  BERTH_SERVER            address of the server, https://host:port or http://host:port
  BERTH_AGENT_KEY         the key to sign in with; the server makes one with \`berth agent-keys create NAME\`
  BERTH_AGENT_KEY_FILE    a file that holds the key, instead
  BERTH_CA                the same as --ca

Options (what holds without them in parentheses):
${lines.join('\n')}

Sizes are bytes, or 512M, 20G. SIGTERM and SIGINT: no new runs; those that go on have the grace to end, a second signal ends
them at once. Exit codes: 0 ended as asked, 1 did not start, 3 no container engine, 4 the server does not know the key.`;
}

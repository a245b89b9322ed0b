import type { LoadedSettings } from './load-settings.ts';
import type { SettingValue } from './parse-value.ts';
import { type Setting, propertyOf } from './setting.ts';
import { settingsTable } from './settings-table.ts';

const rows: readonly Setting[] = settingsTable;
const groups: readonly Setting['group'][] = ['Start', 'TLS', 'Access', 'Storage', 'Regions', 'Logs', 'Tasks', 'Limits'];

/** What `--help` prints. */
export function helpText(): string {
  const sections = groups.map((group) => {
    const lines = rows.filter((row) => row.group === group).map((row) => `${titleOf(row)}\n      ${row.help}${defaultOf(row)}`);
    return `${group}\n${lines.join('\n')}\n`;
  });
  return `Usage: berth serve [options]      in a checkout: npm start -- [options]

Serves a container registry. Each option may also come from the environment variable beside it, or by the name in
brackets from a JSON file (--config).

${sections.join('\n')}
Other
  --help         Prints this.
  --version      Prints the version.
  --explain      Prints what every setting is and where it comes from, and ends.
`;
}

function titleOf(row: Setting): string {
  const value = row.placeholder === undefined ? '' : ` ${row.placeholder}`;
  return row.flag === undefined ? `  ${row.env} [${row.name}]` : `  --${row.flag}${value}, ${row.env} [${row.name}]`;
}

function defaultOf(row: Setting): string {
  return row.default === undefined || row.default === '' ? '' : ` Default: ${row.default}.`;
}

/** What `--explain` prints: every setting, its value without secrets, and its source. */
export function explainSettings({ settings, sources }: LoadedSettings): string {
  const values: Readonly<Record<string, SettingValue | undefined>> = settings;
  const lines = rows.map(
    (row) => `${row.name} = ${shown(row, values[propertyOf(row)])}  (${sources.get(row.name) ?? 'not set'})`,
  );
  return `${lines.join('\n')}\n`;
}

function shown(row: Setting, value: SettingValue | undefined): string {
  if (value === undefined) return '-';
  if (row.isSecret === true) return '[redacted]';
  if (row.kind === 'duration') return `${String(value)} ms`;
  return row.kind === 'size' ? `${String(value)} bytes` : String(value);
}

/** The reference page in Markdown. */
export function settingsPage(): string {
  const sections = groups.map((group) => {
    const lines = rows
      .filter((row) => row.group === group)
      .map(
        (row) =>
          `| ${cellsOf(row)
            .map((cell) => cell.replaceAll('|', '\\|'))
            .join(' | ')} |`,
      );
    return `## ${group}\n\n| name | command line | environment | default | what it does |\n| --- | --- | --- | --- | --- |\n${lines.join('\n')}\n`;
  });
  return `# Settings

Generated from the settings table by \`npm run docs\`. The command line goes before the environment, the environment before
the JSON file that \`--config\` names (\`{"port": 5000, "anonymousPull": true}\`), the file before the default. \`--explain\` prints what
came from where, without secrets.

Durations are numbers with \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`; sizes with \`B\`, \`KB\`, \`KiB\`, \`MB\`, \`MiB\`, \`GB\` or \`GiB\`.

${sections.join('\n')}`;
}

function cellsOf(row: Setting): readonly string[] {
  const flag = row.flag === undefined ? '' : `\`--${row.flag}${row.placeholder === undefined ? '' : ` ${row.placeholder}`}\``;
  const preset = row.default === undefined || row.default === '' ? '' : `\`${row.default}\``;
  return [`\`${row.name}\``, flag, `\`${row.env}\``, preset, row.help];
}

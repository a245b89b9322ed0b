import type { Secret } from './secret.ts';

/**
 * How the text of a setting becomes a value: `duration` (`90s`, `24h`) milliseconds, `size` (`64KiB`) bytes, `switch` a
 * boolean, `list` texts separated by commas, `json` an object as JSON text.
 */
export type SettingKind = 'text' | 'json' | 'path' | 'integer' | 'duration' | 'size' | 'switch' | 'list' | 'choice' | 'secret';

/** One row of the table: loader, validation, redaction, help and reference all come from it. */
export interface Setting {
  /** As in a configuration file. */
  readonly name: string;
  readonly kind: SettingKind;
  /** As one would write it; absent: not set. */
  readonly default?: string;
  readonly env: string;
  /** Absent: not on the command line, where other users of the machine could read it. */
  readonly flag?: string;
  /** What stands for the value in the help. */
  readonly placeholder?: string;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** The value is never shown, though the program handles it as text (URLs with passwords). */
  readonly isSecret?: boolean;
  /** Says what is wrong with a text, to stand after the setting's name; undefined: nothing. */
  readonly check?: (text: string) => string | undefined;
  readonly group: 'Start' | 'TLS' | 'Access' | 'Storage' | 'Regions' | 'Logs' | 'Tasks' | 'Limits';
  /** One sentence. */
  readonly help: string;
}

/** The name a value goes by in the program: with its unit. */
type NameOf<Row extends Setting> = Row['kind'] extends 'duration'
  ? `${Row['name']}Ms`
  : Row['kind'] extends 'size'
    ? `${Row['name']}Bytes`
    : Row['name'];

type PlainValueOf<Row extends Setting> = Row['kind'] extends 'integer' | 'duration' | 'size'
  ? number
  : Row['kind'] extends 'switch'
    ? boolean
    : Row['kind'] extends 'list'
      ? readonly string[]
      : Row['kind'] extends 'secret'
        ? Secret
        : Row extends { readonly choices: readonly (infer Choice)[] }
          ? Choice
          : string;

type ValueOf<Row extends Setting> = Row extends { readonly default: string } ? PlainValueOf<Row> : PlainValueOf<Row> | undefined;

export type SettingsOf<Table extends readonly Setting[]> = { readonly [Row in Table[number] as NameOf<Row>]: ValueOf<Row> };

export function propertyOf({ name, kind }: Setting): string {
  if (kind === 'duration') return `${name}Ms`;
  return kind === 'size' ? `${name}Bytes` : name;
}

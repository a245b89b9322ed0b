import { RegistryError } from '../errors/index.ts';

/** What may be done with a repository, a manifest or a tag; each has its own (acr-api 1.7). */
export interface Attributes {
  readonly deleteEnabled: boolean;
  readonly writeEnabled: boolean;
  readonly listEnabled: boolean;
  readonly readEnabled: boolean;
}

/** The same as columns: 0 or 1. */
export interface AttributeFlags {
  readonly delete_enabled: number;
  readonly write_enabled: number;
  readonly list_enabled: number;
  readonly read_enabled: number;
}

export const attributeColumns = ['delete_enabled', 'write_enabled', 'list_enabled', 'read_enabled'] as const;

export function attributesOf(row: AttributeFlags): Attributes {
  return {
    deleteEnabled: row.delete_enabled === 1,
    writeEnabled: row.write_enabled === 1,
    readEnabled: row.read_enabled === 1,
    listEnabled: row.list_enabled === 1,
  };
}

/** Columns to set for the attributes that a client names. */
export function flagsOf(attributes: Partial<Attributes>): Partial<AttributeFlags> {
  const columns = {
    delete_enabled: attributes.deleteEnabled,
    write_enabled: attributes.writeEnabled,
    list_enabled: attributes.listEnabled,
    read_enabled: attributes.readEnabled,
  };
  return Object.fromEntries(
    Object.entries(columns).flatMap(([name, value]) => (value === undefined ? [] : [[name, Number(value)]])),
  );
}

/** `what` as it stands in a sentence: `the tag v1 of a/b`. @throws REGISTRY_DISALLOWED_OPERATION */
export function requireWritable(flags: Pick<AttributeFlags, 'write_enabled'>, what: string): void {
  if (flags.write_enabled === 0) throw locked(what, 'writeEnabled');
}

/** What must not be overwritten must not be deleted either. @throws REGISTRY_DISALLOWED_OPERATION */
export function requireDeletable(flags: Pick<AttributeFlags, 'write_enabled' | 'delete_enabled'>, what: string): void {
  if (flags.delete_enabled === 0) throw locked(what, 'deleteEnabled');
  requireWritable(flags, what);
}

/** @throws REGISTRY_DISALLOWED_OPERATION */
export function requireReadable(flags: Pick<AttributeFlags, 'read_enabled'>, what: string): void {
  if (flags.read_enabled === 0) throw locked(what, 'readEnabled');
}

function locked(what: string, attribute: keyof Attributes): RegistryError {
  return new RegistryError('REGISTRY_DISALLOWED_OPERATION', {
    message: `${what} is locked: its attribute ${attribute} is false`,
    detail: {},
  });
}

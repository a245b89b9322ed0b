import type {
  TArray,
  TBoolean,
  TInteger,
  TLiteral,
  TNull,
  TObject,
  TOptional,
  TProperties,
  TSchema,
  TString,
  TUnion,
} from 'typebox';

type Options = Readonly<Record<string, unknown>>;

/** Schemas that may be left out of an object. */
const optional = new WeakSet<object>();

/**
 * Builds JSON Schemas as TypeBox does, with TypeBox's types, without loading it: its three hundred modules would be a
 * tenth of every start of the server and the command line, and only validation and documents need more than the plain
 * schema.
 */
export const Type = {
  String: (options: Options = {}): TString => schema({ type: 'string', ...options }),
  Integer: (options: Options = {}): TInteger => schema({ type: 'integer', ...options }),
  Boolean: (options: Options = {}): TBoolean => schema({ type: 'boolean', ...options }),
  Null: (): TNull => schema({ type: 'null' }),
  Literal: <const Value extends string>(value: Value): TLiteral<Value> => schema({ type: 'string', const: value }),
  Array: <Item extends TSchema>(items: Item): TArray<Item> => schema({ type: 'array', items }),
  Union: <const Members extends TSchema[]>(anyOf: readonly [...Members]): TUnion<Members> => schema({ anyOf }),
  Optional: <Schema extends TSchema>(of: Schema): TOptional<Schema> => {
    const copy = schema<TOptional<Schema>>({ ...of });
    optional.add(copy);
    return copy;
  },
  Object: <Properties extends TProperties>(properties: Properties, options: Options = {}): TObject<Properties> => {
    const required = Object.keys(properties).filter((name) => !optional.has(properties[name] ?? {}));
    return schema({ type: 'object', ...(required.length > 0 && { required }), properties, ...options });
  },
};

/** The one place where a plain object takes a type of TypeBox, whose marks exist for the type checker alone. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the promised type
function schema<Schema extends TSchema>(json: object): Schema {
  return json as Schema;
}

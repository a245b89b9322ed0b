import { RegistryError } from '../errors/index.ts';

/** Longer texts are refused wherever a field says nothing else. */
const maxTextLength = 1024;

/**
 * Reads the members of a JSON object that a client sent, one by one. A member that is missing or null is undefined; one of
 * another type is refused by its path. Members that nobody asks for are left alone: clients of other versions send them.
 */
export class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  /** Of this object in the document: `properties.policies`. */
  readonly path: string;

  constructor(value: unknown, path: string) {
    if (value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value)))
      throw invalid(path, 'must be an object');
    this.#value = (value ?? {}) as Record<string, unknown>;
    this.path = path;
  }

  /** Whether the client wrote the member, be it null. */
  has(name: string): boolean {
    return Object.hasOwn(this.#value, name);
  }

  /** Whether the client wrote null: take it away. */
  isNull(name: string): boolean {
    return this.has(name) && this.#value[name] === null;
  }

  /** As JSON, for what is kept as it came. */
  json(): string {
    return JSON.stringify(this.#value);
  }

  /** What was kept so, in the place of a member. */
  parsed(json: string, name: string): Fields {
    return new Fields(JSON.parse(json), this.at(name));
  }

  object(name: string): Fields {
    return new Fields(this.#get(name), this.at(name));
  }

  text(name: string, maxLength = maxTextLength): string | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw invalid(this.at(name), 'must be a text');
    if (value.length > maxLength) throw invalid(this.at(name), `is longer than ${maxLength} characters`);
    return value;
  }

  requiredText(name: string, maxLength?: number): string {
    const value = this.text(name, maxLength);
    if (value === undefined || value === '') throw invalid(this.at(name), 'is missing');
    return value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.#get(name);
    if (value !== undefined && typeof value !== 'boolean') throw invalid(this.at(name), 'must be true or false');
    return value;
  }

  integer(name: string, { min, max }: { readonly min: number; readonly max: number }): number | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (!Number.isInteger(value) || Number(value) < min || Number(value) > max)
      throw invalid(this.at(name), `must be a whole number from ${min} to ${max}`);
    return Number(value);
  }

  /** One of some words, in whatever case; as we write it. */
  oneOf<const Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = words.find((word) => word.toLowerCase() === value.toLowerCase());
    if (found === undefined)
      throw invalid(this.at(name), `must be one of ${words.join(', ')}, not ${JSON.stringify(value.slice(0, 64))}`);
    return found;
  }

  list(name: string, maxLength: number): readonly unknown[] | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw invalid(this.at(name), 'must be a list');
    if (value.length > maxLength) throw invalid(this.at(name), `holds more than ${maxLength} entries`);
    return value;
  }

  texts(name: string, maxLength: number): readonly string[] | undefined {
    return this.list(name, maxLength)?.map((each, index) => {
      if (typeof each === 'string' && each.length <= maxTextLength) return each;
      throw invalid(`${this.at(name)}[${index}]`, `must be a text of at most ${maxTextLength} characters`);
    });
  }

  objects(name: string, maxLength: number): readonly Fields[] | undefined {
    return this.list(name, maxLength)?.map((each, index) => new Fields(each, `${this.at(name)}[${index}]`));
  }

  /** Texts by name: resource tags, headers. */
  textMap(
    name: string,
    { maxEntries, maxValue }: { readonly maxEntries: number; readonly maxValue: number },
  ): Readonly<Record<string, string>> | undefined {
    if (this.#get(name) === undefined) return undefined;
    const members = this.object(name);
    const names = Object.keys(members.#value);
    if (names.length > maxEntries) throw invalid(this.at(name), `holds more than ${maxEntries} entries`);
    return Object.fromEntries(names.map((key) => [key, members.text(key, maxValue) ?? '']));
  }

  /** The names of the members of an object. */
  names(name: string, maxEntries: number): readonly string[] | undefined {
    if (this.#get(name) === undefined) return undefined;
    const names = Object.keys(this.object(name).#value);
    if (names.length > maxEntries) throw invalid(this.at(name), `holds more than ${maxEntries} entries`);
    return names;
  }

  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  #get(name: string): unknown {
    // Only own members: `__proto__` and its like are data (attack 44).
    const value = Object.hasOwn(this.#value, name) ? this.#value[name] : undefined;
    return value === null ? undefined : value;
  }
}

/** `path` names the field, `problem` goes on the sentence. */
export function invalid(path: string, problem: string): RegistryError {
  return new RegistryError('INVALID_PARAMETER', { message: `${path} ${problem}`, target: path });
}

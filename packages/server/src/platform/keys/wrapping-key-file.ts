import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../blob-store/folder-sync.ts';
import type { WrappingKey } from './wrapping.ts';

/** The key file is not one, cannot be read, or does not belong to the stored data. The message is `what: what to do`. */
export class KeyFileError extends Error {
  override readonly name: string = 'KeyFileError';
}

/** There is no key file, but data that only it can open. */
export class KeyMissingError extends KeyFileError {
  override readonly name = 'KeyMissingError';
}

const format = 'berth-wrapping-keys-1';

interface KeyFileContent {
  readonly format: typeof format;
  /** The first one wraps; the others only unwrap, while a rotation is under way. */
  readonly keys: readonly { readonly id: string; readonly key: string }[];
}

/** Wrapping keys in a local file that only its owner can read. Losing the file is losing the data. */
export class WrappingKeyFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The keys, the wrapping one first. Undefined when there is no file. @throws KeyFileError */
  async read(): Promise<readonly WrappingKey[] | undefined> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw new KeyFileError(`the key file ${this.path} cannot be read: make the user that runs berth its owner`, {
        cause: error,
      });
    }
    return parse(text, this.path);
  }

  /** Makes the file unless there is one: of two processes at their first start, one wins. Read it afterwards. */
  async create(keys: readonly WrappingKey[]): Promise<void> {
    const draft = `${this.path}.${randomBytes(4).toString('hex')}`;
    await this.#writeDraft(draft, keys);
    try {
      await link(draft, this.path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    } finally {
      await unlink(draft);
    }
    await syncFolder(dirname(this.path));
  }

  /** Replaces the file as a whole: after a crash it is the old one or the new one. */
  async write(keys: readonly WrappingKey[]): Promise<void> {
    const draft = `${this.path}.new`;
    await this.#writeDraft(draft, keys);
    await rename(draft, this.path);
    await syncFolder(dirname(this.path));
  }

  /** Whether others than its owner may read the file. */
  async isExposed(): Promise<boolean> {
    const { mode } = await stat(this.path);
    return (mode & 0o077) !== 0;
  }

  async #writeDraft(draft: string, keys: readonly WrappingKey[]): Promise<void> {
    const content: KeyFileContent = { format, keys: keys.map(({ id, material }) => ({ id, key: material.toString('base64') })) };
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const file: FileHandle = await open(draft, 'w', 0o600);
    try {
      // The mode counts for new files only, and a crash may have left one.
      await file.chmod(0o600);
      await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

export function newWrappingKey(): WrappingKey {
  return { id: randomBytes(8).toString('hex'), material: randomBytes(32) };
}

/** No message here quotes the file: it holds keys. */
function parse(text: string, path: string): WrappingKey[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new KeyFileError(`the key file ${path} is not JSON: restore it from its backup`);
  }
  const { format: found, keys } = (content ?? {}) as { format?: unknown; keys?: unknown };
  if (found !== format) throw new KeyFileError(`the key file ${path} is not of the format ${format}: restore it from its backup`);
  const parsed = Array.isArray(keys) ? keys.map(parseKey) : [];
  if (parsed.length === 0 || parsed.includes(undefined))
    throw new KeyFileError(`the key file ${path} holds no usable keys: restore it from its backup`);
  return parsed.filter((key) => key !== undefined);
}

function parseKey(entry: unknown): WrappingKey | undefined {
  const { id, key } = (entry ?? {}) as { id?: unknown; key?: unknown };
  if (typeof id !== 'string' || typeof key !== 'string') return undefined;
  const material = Buffer.from(key, 'base64');
  return id.length > 0 && material.length === 32 ? { id, material } : undefined;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../blob-store/folder-sync.ts';
import type { WrappingKey } from './wrapping.ts';

/** The key file is not there, or is not one. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

interface KeyFileContent {
  readonly format: 'berth-wrapping-keys-1';
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
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw new KeyFileError(`the key file ${this.path} cannot be read`, { cause: error });
    }
    return parse(text, this.path);
  }

  /** Replaces the file as a whole: after a crash it is the old one or the new one. */
  async write(keys: readonly WrappingKey[]): Promise<void> {
    const content: KeyFileContent = {
      format: 'berth-wrapping-keys-1',
      keys: keys.map(({ id, material }) => ({ id, key: material.toString('base64') })),
    };
    const folder = dirname(this.path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const draft = `${this.path}.new`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.path);
    await syncFolder(folder);
  }
}

export function newWrappingKey(): WrappingKey {
  return { id: randomBytes(8).toString('hex'), material: randomBytes(32) };
}

function parse(text: string, path: string): WrappingKey[] {
  let content: Partial<KeyFileContent>;
  try {
    content = JSON.parse(text) as Partial<KeyFileContent>;
  } catch (error) {
    throw new KeyFileError(`the key file ${path} is not JSON: restore it from its backup`, { cause: error });
  }
  const keys = content.format === 'berth-wrapping-keys-1' && Array.isArray(content.keys) ? content.keys : [];
  const parsed = keys.map(({ id, key }) => ({ id: String(id), material: Buffer.from(String(key), 'base64') }));
  if (parsed.length === 0 || parsed.some((key) => key.material.length !== 32)) {
    throw new KeyFileError(`the key file ${path} holds no usable keys: restore it from its backup`);
  }
  return parsed;
}

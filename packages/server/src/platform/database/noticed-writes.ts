import type { Database } from './database.ts';

/** A database of which others are told that something was written. */
export interface NoticedDatabase extends Database {
  /** Called after each transaction of this process that has committed, with its input. Must be quick and not throw. */
  onWritten(listener: (input: unknown) => void): void;
}

export function noticeWrites(database: Database): NoticedDatabase {
  const listeners: ((input: unknown) => void)[] = [];
  return {
    engine: database.engine,
    read: database.read,
    write: async (definition, input) => {
      const result = await database.write(definition, input);
      for (const listener of listeners) listener(input);
      return result;
    },
    check: () => database.check(),
    close: () => database.close(),
    onWritten: (listener) => void listeners.push(listener),
  };
}

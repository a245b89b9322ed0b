import { initial } from './0001-initial.ts';
import type { Migration } from './migration.ts';

export type { Engine, Migration } from './migration.ts';

/** The whole history, oldest first. Append only. */
export const migrations: readonly Migration[] = [initial];

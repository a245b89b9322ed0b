import { initial } from './0001-initial.ts';
import { attributes } from './0002-attributes.ts';
import { service } from './0003-service.ts';
import { lifecycle } from './0004-lifecycle.ts';
import { usage } from './0005-usage.ts';
import { retention } from './0006-retention.ts';
import { bin } from './0008-bin.ts';
import { audit } from './0009-audit.ts';
import { manifestBytes } from './0010-manifest-bytes.ts';
import { issuers } from './0007-issuers.ts';
import { tasks } from './0011-tasks.ts';
import { replication } from './0012-replication.ts';
import type { Migration } from './migration.ts';

export type { Engine, Migration } from './migration.ts';

/** The whole history, oldest first. Append only. */
export const migrations: readonly Migration[] = [
  initial,
  attributes,
  service,
  lifecycle,
  usage,
  retention,
  issuers,
  bin,
  audit,
  manifestBytes,
  tasks,
  replication,
];

import type { ReplicationContext } from '../replication-context.ts';
import type { BlobBringer } from './bring-blobs.ts';
import type { CopyProgress } from './progress.ts';

/** What the parts of the copier work with. */
export interface CopyContext extends ReplicationContext {
  readonly bringer: BlobBringer;
  readonly progress: CopyProgress;
}

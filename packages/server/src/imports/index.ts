import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Blobs } from '../blobs/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Outbound } from '../platform/outbound/index.ts';
import { copyImage } from './copy-image.ts';
import { explainFailure } from './explain-failure.ts';
import { ImportRuns, type ImportRunsLimits } from './import-runs.ts';
import type { ImportInput, ImportRun } from './model.ts';
import { parseImport } from './parse-import.ts';
import { type SourceParts, openSource } from './sources.ts';

export type { ImportCredentials, ImportFrom, ImportInput, ImportProgress, ImportRun, ImportStatus } from './model.ts';

export interface ImportsOptions extends Pick<SourceParts, 'findLocal' | 'signIn'> {
  readonly blobs: Pick<Blobs, 'has' | 'link' | 'open' | 'upload'>;
  readonly catalog: Pick<Catalog, 'find' | 'inspect' | 'push' | 'read' | 'referrers'>;
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<ImportRunsLimits>;
  /** How a pause is made that a source asks for. Default: by waiting. */
  readonly wait?: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

export interface Imports {
  /**
   * Begins to import, or joins the same import at work; it goes on when whoever asked for it is gone. The caller has seen
   * that the principal may import. @throws INVALID_PARAMETER naming the field, TOOMANYREQUESTS, UNAVAILABLE
   */
  start(input: ImportInput): ImportRun;
  /** A run at work, or one that ended within the last hour. */
  find(id: string): ImportRun | undefined;
  /** Ends all runs; resolves when none works any more. */
  stop(): Promise<void>;
}

/** Imports of images from other registries. */
export function createImports(options: ImportsOptions): Imports {
  const { blobs, catalog, outbound, clock, log, limits, findLocal, signIn, wait = waitFor } = options;
  const runs = new ImportRuns({ clock, explain: (error) => explainFailure(error, log), ...(limits && { limits }) });
  const parts = { blobs, catalog, findLocal, signIn, patience: { outbound, clock, wait } };
  return {
    start: (input) => {
      const wanted = parseImport(input);
      return runs.start({
        registryId: input.registry.id,
        key: keyOf(input),
        work: async (progress, signal) => {
          const source = await openSource(parts, input, wanted);
          await copyImage({ blobs, catalog, source, input, wanted, progress, signal });
        },
      });
    },
    find: (id) => runs.find(id),
    stop: () => runs.stop(),
  };
}

/** Credentials are part of it: whoever has none must not be shown what those of another brought. */
function keyOf({
  registry,
  principalId,
  source,
  sourceImage,
  targetTags,
  untaggedTargetRepositories,
  mode,
}: ImportInput): string {
  const from = 'registry' in source ? source.registry.id : [source.registryUri, source.credentials];
  const all = [registry.id, principalId, from, sourceImage, targetTags, untaggedTargetRepositories, mode];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

async function waitFor(delayMs: number, signal: AbortSignal): Promise<void> {
  await delay(delayMs, undefined, { signal, ref: false });
}

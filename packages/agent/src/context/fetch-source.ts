import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { RegistryLogin, RunSource } from '@berth/api';
import { fetchGit } from './git/fetch-git.ts';
import { httpGet, shownUrl, withRetries } from './http-get.ts';
import { pullArtifact } from './oci/pull-artifact.ts';
import { saveBody } from './save-body.ts';
import { SourceError } from './source-error.ts';
import { unpack } from './unpack.ts';

export interface SourceOptions {
  /** The archive that was uploaded for the run. */
  readUpload(): Promise<IncomingMessage>;
  readonly logins: readonly RegistryLogin[];
  /** Of the workspace. */
  readonly maxBytes: number;
  /** Of the run, outside of the workspace. */
  readonly folder: string;
  readonly secretsFolder: string;
  /** Whether git may clone from folders of this machine: for tests. */
  readonly allowsLocalGit: boolean;
  /** False: a stranger wrote what is in it. */
  readonly isTrusted: boolean;
  readonly signal: AbortSignal;
  log(text: string): void;
  mask(secret: string): void;
}

/** What is known of a source that comes from git. */
export interface SourceFacts {
  readonly commit?: string;
  readonly branch?: string;
}

/** Brings a run's source into an empty folder. @throws SourceError whose message is for the user, or the signal's reason */
export async function fetchSource(source: RunSource | null, workspace: string, options: SourceOptions): Promise<SourceFacts> {
  try {
    switch (source?.kind) {
      case undefined:
        return {};
      case 'upload':
        await unpackUpload(workspace, options);
        return {};
      case 'archive':
        await unpackAddress(source.url, workspace, options);
        return {};
      case 'oci':
        await pullArtifact(source.reference, workspace, options);
        return {};
      case 'git':
        return await fetchGit(source, workspace, options);
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof SourceError) throw error;
    throw new SourceError(`the source cannot be fetched: ${(error as Error).message}`, { cause: error });
  }
}

async function unpackUpload(workspace: string, options: SourceOptions): Promise<void> {
  const archive = join(options.folder, 'upload');
  await withRetries(options.signal, async () => saveBody(await options.readUpload(), archive, options.maxBytes));
  await unpackFile(archive, workspace, options);
}

async function unpackAddress(address: string, workspace: string, options: SourceOptions): Promise<void> {
  if (!URL.canParse(address)) throw new SourceError('the address of the archive is no address: write it as https://host/path');
  const url = new URL(address);
  if (url.password !== '') options.mask(decodeURIComponent(url.password));
  options.log(`downloads ${shownUrl(url)}`);
  const archive = join(options.folder, 'download');
  await withRetries(options.signal, async () =>
    saveBody(await httpGet(url, { signal: options.signal }), archive, options.maxBytes),
  );
  await unpackFile(archive, workspace, options);
}

async function unpackFile(archive: string, workspace: string, { maxBytes, signal }: SourceOptions): Promise<void> {
  try {
    await unpack(createReadStream(archive, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>, workspace, {
      maxBytes,
      signal,
    });
  } finally {
    await rm(archive, { force: true });
  }
}

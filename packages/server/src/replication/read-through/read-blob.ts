import { type Hash, createHash } from 'node:crypto';
import { digestAlgorithm, digestHex } from '@berth/oci';
import { RegistryError } from '../../errors/index.ts';
import { type BlobAtPeer, type CopyContext, openAtPeer, peersFor, reasonOf } from '../copy/index.ts';
import { type Peer, PeerError } from '../peers/model.ts';
import type { Digest } from '@berth/oci';

export interface BlobToRead extends BlobAtPeer {
  readonly registryId: number;
  readonly digest: Digest;
  readonly source: string;
}

interface Reading {
  readonly hash: Hash;
  sentBytes: number;
  /** Not handed out before the next has come, or all was found to be right. */
  held: Buffer | undefined;
}

/**
 * A blob from other regions, as it comes, while it is hashed. Where one region breaks off the next one goes on. The last bytes are
 * kept back until all are known to be what the digest says: whoever gets all bytes has the right ones.
 * @throws UNAVAILABLE before the first byte when no region gives it; CONTENT_DAMAGED instead of the last
 */
export async function* readBlobElsewhere(
  context: CopyContext,
  blob: BlobToRead,
  signal: AbortSignal,
): AsyncGenerator<readonly Buffer[], void, undefined> {
  const { digest, sizeBytes, registryId } = blob;
  const reading: Reading = { hash: createHash(digestAlgorithm(digest)), sentBytes: 0, held: undefined };
  const problems: string[] = [];
  let last: Peer | undefined;
  for (const peer of peersFor(context.peers, blob.source)) {
    try {
      last = peer;
      yield* readFrom(context, { peer, blob, reading, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof PeerError)) throw error;
      if (error.kind === 'damaged') context.progress.damaged(registryId, peer.name);
      problems.push(reasonOf(error));
    }
    if (reading.sentBytes === sizeBytes) break;
  }
  if (reading.sentBytes < sizeBytes || last === undefined) throw notNow(blob, problems);
  if (reading.hash.digest('hex') !== digestHex(digest)) {
    context.progress.damaged(registryId, last.name);
    throw new RegistryError('CONTENT_DAMAGED', { message: `the region ${last.name} sent bytes that are not ${digest}` });
  }
  if (reading.held !== undefined) yield [reading.held];
}

interface Source {
  readonly peer: Peer;
  readonly blob: BlobToRead;
  readonly reading: Reading;
  readonly signal: AbortSignal;
}

async function* readFrom(
  { bringer, progress }: CopyContext,
  { peer, blob, reading, signal }: Source,
): AsyncGenerator<readonly Buffer[], void, undefined> {
  const answer = await openAtPeer(peer, blob, reading.sentBytes, signal);
  if (answer === undefined) return;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      if (reading.sentBytes + chunk.length > blob.sizeBytes) throw tooLong(peer, blob);
      reading.hash.update(chunk);
      reading.sentBytes += chunk.length;
      progress.passed(blob.registryId, chunk.length);
      // Whoever waits is not kept to the rate; copies make up for it.
      bringer.owe(chunk.length);
      if (reading.held !== undefined) yield [reading.held];
      reading.held = chunk;
    }
  } finally {
    answer.body.destroy();
  }
}

function tooLong({ name }: Peer, { digest, sizeBytes }: BlobToRead): PeerError {
  return new PeerError('damaged', {
    region: name,
    message: `the region ${name} sent more than the ${sizeBytes} bytes of ${digest}`,
    remedy: `Check the storage of ${name} with "berth scrub".`,
  });
}

function notNow({ digest, repository }: BlobToRead, problems: readonly string[]): RegistryError {
  const why = problems.length === 0 ? 'no other region that has it answers' : problems.join('; ');
  return new RegistryError('UNAVAILABLE', {
    message: `the blob ${digest} of ${repository} is on its way here from another region: ${why}; try again later`,
    headers: { 'Retry-After': '5' },
  });
}

import { Readable } from 'node:stream';
import { parseDigest } from '@berth/oci';
import { type Peer, type PeerBlob, PeerError } from '../peers/model.ts';
import type { TestRegion } from './test-region.ts';

/** Between two regions. */
export interface Link {
  isUp: boolean;
  /** Answers end after so many bytes, as if the connection broke; undefined: never. */
  breakAfterBytes: number | undefined;
  /** Answers stop after so many bytes and never end. */
  hangAfterBytes: number | undefined;
  /** Bytes are not what they should be. */
  isCorrupting: boolean;
  /** Told before each blob is asked for. */
  onBlob: (asked: { readonly digest: string; readonly start: number }) => Promise<void> | void;
  /** Told before each name is asked for. */
  onResolve: (reference: string) => Promise<void> | void;
}

/** Another region, asked in the same process: its own database, store and keys answer. */
export function peerOf(region: () => TestRegion, name: string, link: Link): Peer {
  const down = (): PeerError =>
    new PeerError('unreachable', { region: name, message: `${name} does not answer`, remedy: 'wait' });
  const require = (signal: AbortSignal): TestRegion => {
    signal.throwIfAborted();
    if (!link.isUp) throw down();
    return region();
  };
  return {
    name,
    address: `https://${name}.example`,
    get isUp() {
      return link.isUp;
    },
    blob: async (_registry, wanted, signal): Promise<PeerBlob | undefined> => {
      const { repository, digest, start = 0 } = wanted;
      await Promise.race([link.onBlob({ digest, start }), aborted(signal)]);
      const { blobs, registry } = require(signal);
      const found = await blobs.forRegion({ registryId: registry.id, repository, digest: parseDigest(digest) });
      if (found === undefined) return undefined;
      const bytes = found.open({ start, end: found.sizeBytes }, signal);
      return { sizeBytes: found.sizeBytes, body: Readable.from(carried(bytes, link, down), { objectMode: false }) };
    },
    resolve: async (_registry, { repository, reference }, signal) => {
      await Promise.race([link.onResolve(reference), aborted(signal)]);
      return require(signal).resolve(repository, reference);
    },
    facts: unasked,
    settings: unasked,
    changes: unasked,
    snapshot: unasked,
    status: unasked,
  };
}

/** A connection ends with whoever asked. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
}

function unasked(): never {
  throw new Error('no part of these tests');
}

async function* carried(
  source: AsyncIterable<readonly Buffer[]>,
  link: Link,
  broken: () => PeerError,
): AsyncGenerator<Buffer, void, undefined> {
  let passed = 0;
  for await (const buffers of source) {
    for (const buffer of buffers) {
      const { breakAfterBytes: most = Number.POSITIVE_INFINITY } = link;
      const chunk = Buffer.from(buffer.subarray(0, Math.max(0, most - passed)));
      if (link.isCorrupting && chunk.length > 0) chunk[0] = (chunk[0] ?? 0) ^ 1;
      passed += chunk.length;
      if (chunk.length > 0) yield chunk;
      if (passed >= (link.hangAfterBytes ?? Number.POSITIVE_INFINITY)) await new Promise(() => undefined);
      if (passed >= most || !link.isUp) throw broken();
    }
  }
}

import type { Readable } from 'node:stream';
import { maxManifestBytes } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';

export interface IncomingManifest {
  readonly body: Readable;
  /** Undefined: the length is not known beforehand. */
  readonly contentLength: number | undefined;
  /** Awaited once, before more than `smallBytes` are taken from the wire. */
  readonly onLarge: () => Promise<void>;
}

/** Nearly every manifest is smaller, and those never wait for others. */
const smallBytes = 64 * 1024;

/** A large manifest holds one of a few places: a client that dawdles is cut off. */
const largeTimeoutMs = 120_000;

/**
 * Reads a manifest of at most 4 MiB. Stops at the first byte more, with or without a Content-Length (attack 5), and leaves
 * the connection as it is, so that the answer can go out.
 * @throws MANIFEST_TOO_LARGE, SIZE_INVALID
 */
export async function receiveManifest({ body, contentLength, onLarge }: IncomingManifest): Promise<Buffer> {
  if (contentLength !== undefined && contentLength > maxManifestBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let deadline: NodeJS.Timeout | undefined;
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxManifestBytes) throw tooLarge();
      chunks.push(chunk);
      if (sizeBytes <= smallBytes || deadline !== undefined) continue;
      await onLarge();
      deadline = setTimeout(() => body.destroy(new RegistryError('REQUEST_TIMEOUT')), largeTimeoutMs);
    }
  } finally {
    clearTimeout(deadline);
  }
  if (contentLength !== undefined && sizeBytes !== contentLength) {
    throw new RegistryError('SIZE_INVALID', { message: `the manifest has ${sizeBytes} bytes, ${contentLength} were announced` });
  }
  return Buffer.concat(chunks, sizeBytes);
}

function tooLarge(): RegistryError {
  return new RegistryError('MANIFEST_TOO_LARGE', { detail: { maxBytes: maxManifestBytes } });
}

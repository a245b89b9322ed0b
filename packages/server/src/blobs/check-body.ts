import { type Digest, digestAlgorithm, digestHex } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import type { RunningDigest } from '../platform/digests/index.ts';
import type { ReceivedBody } from './receive-body.ts';

/** Refuses a body that broke off, and bytes that do not have the digest. `running` cannot be used afterwards. */
export async function requireWhole({ isComplete }: ReceivedBody, running: RunningDigest, expected: Digest): Promise<void> {
  if (!isComplete) {
    throw new RegistryError('SIZE_INVALID', {
      message: 'the connection ended before the announced bytes had arrived: nothing of this request was kept',
    });
  }
  const found = await running.end();
  if (found === digestHex(expected)) return;
  const actual = `${digestAlgorithm(expected)}:${found}`;
  throw new RegistryError('DIGEST_INVALID', {
    message: `the uploaded bytes have the digest ${actual}, not ${expected}; the upload was discarded`,
    detail: { digest: expected, actual },
  });
}

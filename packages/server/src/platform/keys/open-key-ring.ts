import { LocalKeyRing } from './local-key-ring.ts';
import type { ManagedKeyRing, OpenKeyRingOptions } from './managed-key-ring.ts';
import { allDataKeys, allSigningKeys } from './queries.ts';
import { KeyFileError, KeyMissingError, newWrappingKey } from './wrapping-key-file.ts';

/**
 * Opens the ring; on a first start makes the key file, and after an interrupted rotation finishes it.
 * @throws KeyMissingError when there are keys but no file, KeyFileError when the file opens none of them
 */
export async function openKeyRing(options: OpenKeyRingOptions): Promise<ManagedKeyRing> {
  const { database, file, log } = options;
  const [dataKeys, signingKeys] = await Promise.all([allDataKeys(database.read), allSigningKeys(database.read)]);
  const rows = dataKeys.length + signingKeys.length;
  if ((await file.read()) === undefined) {
    if (rows > 0) {
      throw new KeyMissingError(
        `the key file ${file.path} is missing, and without it the stored data cannot be opened: put its backup back at that place`,
      );
    }
    await file.create([newWrappingKey()]);
  }
  if (await file.isExposed())
    log?.warn({ keyFile: file.path }, 'the key file can be read by others than its owner: set its mode to 600');
  const ring = new LocalKeyRing(options);
  await ring.reload();
  // A key file of another deployment opens nothing: better to say so at the start than at each pull.
  if (rows > 0 && !ring.opensAny(signingKeys)) {
    throw new KeyFileError(
      `the keys in ${file.path} do not open the stored data: put the key file that belongs to this data at that place`,
    );
  }
  await ring.finishRotation();
  return ring;
}

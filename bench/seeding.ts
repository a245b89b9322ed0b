import { RegistrySession, type Target } from './registry-session.ts';

export const indexType = 'application/vnd.oci.image.index.v1+json';

/** A manifest that refers to nothing, different for every number. */
export function emptyIndex(number: number): Buffer {
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [], annotations: { number: String(number) } }),
  );
}

/** Runs `work` for 0 … count-1, sixteen at a time, each with a session of its own. */
export async function inParallel(
  target: Target,
  count: number,
  work: (session: RegistrySession, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      const session = new RegistrySession(target);
      for (let index = next++; index < count; index = next++) await work(session, index);
      session.close();
    }),
  );
}

export const indexType = 'application/vnd.oci.image.index.v1+json';

/** A manifest that refers to nothing, different for every number. */
export function emptyIndex(number: number): Buffer {
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [], annotations: { number: String(number) } }),
  );
}

/** Runs `work` for 0 … count-1, so many at a time. */
export async function inParallel(count: number, workers: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (let index = next++; index < count; index = next++) await work(index);
    }),
  );
}

import { type Image, type Layer, imageOf, uniqueLayer } from './content.ts';
import { processorSeconds } from './process-usage.ts';
import { RegistrySession } from './registry-session.ts';
import type { RunningServer } from './servers.ts';
import { probeStalls } from './stall-probe.ts';

export const clients = 10;

export interface TransferResult {
  readonly imagesPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly processorSecondsPerGigabyte: number;
  readonly stallP99Ms: number;
}

/** Work on images, shared out among ten clients that run at once; each takes the next image when it is done. */
export async function transfer(
  server: RunningServer,
  images: readonly Image[],
  work: (session: RegistrySession, image: Image, index: number) => Promise<void>,
): Promise<TransferResult> {
  const sessions = Array.from({ length: clients }, () => new RegistrySession(server.target));
  const probe = await probeStalls(server.target);
  const processorBefore = processorSeconds(server.pid);
  const began = performance.now();
  let next = 0;
  await Promise.all(
    sessions.map(async (session) => {
      for (let index = next++; index < images.length; index = next++) await work(session, images[index] as Image, index);
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const processor = processorSeconds(server.pid) - processorBefore;
  const { p99Ms } = await probe.stop();
  for (const session of sessions) session.close();
  const bytes = images.reduce((sum, image) => sum + image.layers.reduce((layers, layer) => layers + layer.sizeBytes, 0), 0);
  return {
    imagesPerSecond: images.length / seconds,
    megabytesPerSecond: bytes / 1e6 / seconds,
    processorSecondsPerGigabyte: processor / (bytes / 1e9),
    stallP99Ms: p99Ms,
  };
}

/** Images of one unseen layer each. */
export function unseenImages(count: number, layerBytes: number): Image[] {
  return Array.from({ length: count }, () => imageOf([uniqueLayer(layerBytes)]));
}

/** New images (new config, new manifest) on layers that exist. */
export function imagesOn(layers: readonly Layer[]): Image[] {
  return layers.map((layer) => imageOf([layer]));
}

import { type Image, prepareBody } from '../content.ts';
import { type TransferResult, clients, imagesOn, transfer, unseenImages } from '../measure.ts';
import type { Row } from '../report.ts';
import type { RunningServer } from '../servers.ts';
import { syncedWriteRate } from '../synced-write-rate.ts';

interface SizeTargets {
  readonly megabytes: number;
  /** How many images make one measurement. */
  readonly images: number;
  readonly push: number;
  readonly pull: number;
}

/** architecture.md, section 13. */
const sizes: readonly SizeTargets[] = [
  { megabytes: 1, images: 300, push: 3, pull: 4 },
  { megabytes: 10, images: 100, push: 1.5, pull: 2 },
  { megabytes: 100, images: 20, push: 1.2, pull: 1.2 },
];

/** Compiled code, open files, page cache: what a server has after a minute of work. */
const warmImages = 150;

interface Outcome {
  readonly push: TransferResult;
  readonly existing: TransferResult;
  readonly pull: TransferResult;
}

/** Pushes unseen layers, pushes new images on known layers, pulls: for each size on both servers. */
export async function measureTransfers(
  servers: readonly RunningServer[],
  options: { readonly megabytes: readonly number[]; readonly scale: number },
): Promise<Row[]> {
  const rows: Row[] = [];
  prepareBody(Math.max(...options.megabytes) * 1_000_000);
  for (const size of sizes.filter((each) => options.megabytes.includes(each.megabytes))) {
    const outcomes: Outcome[] = [];
    for (const server of servers) outcomes.push(await measureSize(server, size, options.scale));
    const diskRate = await syncedWriteRate(size.megabytes * 1_000_000, clients);
    rows.push(...rowsOf(size, outcomes, diskRate));
  }
  return rows;
}

async function measureSize(server: RunningServer, size: SizeTargets, scale: number): Promise<Outcome> {
  const bytes = size.megabytes * 1_000_000;
  const count = Math.max(clients, Math.round(size.images * scale));
  const name = (index: number): string => `bench/m${size.megabytes}/r${index % clients}`;
  const warm = unseenImages(warmImages, Math.min(bytes, 1_000_000));
  await transfer(server, warm, (session, image, index) => session.push(`${name(index)}-warm`, `w${index}`, image));
  await transfer(server, warm, (session, image, index) => session.pull(`${name(index)}-warm`, `w${index}`, image));
  const images = unseenImages(count, bytes);
  const push = await transfer(server, images, (session, image, index) => session.push(name(index), `t${index}`, image));
  // It moves no layer, so twenty images would be over before anything is measured.
  const known = imagesOn(repeated(images, Math.round(300 * scale)).flatMap((image) => image.layers));
  const existing = await transfer(server, known, (session, image, index) =>
    session.push(`${name(index % images.length)}-again`, `t${index}`, image, name(index % images.length)),
  );
  const pulled = repeated(images, clients * 2);
  const pull = await transfer(server, pulled, (session, image, index) =>
    session.pull(name(index % images.length), `t${index % images.length}`, image),
  );
  return { push, existing, pull };
}

function repeated(images: readonly Image[], atLeast: number): Image[] {
  return Array.from({ length: Math.max(images.length, atLeast) }, (_, index) => images[index % images.length] as Image);
}

function rowsOf(size: SizeTargets, outcomes: readonly Outcome[], diskRate: number): Row[] {
  const [berth, peer] = outcomes;
  if (berth === undefined) return [];
  const label = `${size.megabytes} MB`;
  const rate = (name: string, target: number, pick: (outcome: Outcome) => number): Row => ({
    name,
    unit: 'images/s',
    berth: pick(berth),
    peer: peer && pick(peer),
    target: { atLeastRatio: target },
  });
  const processor = (name: string, target: number, pick: (outcome: Outcome) => number): Row => ({
    name,
    unit: 's/GB',
    berth: pick(berth),
    peer: peer && pick(peer),
    target: { atMostRatio: target },
  });
  const pushRow = rate(`push of unseen layers, ${label}`, size.push, (outcome) => outcome.push.imagesPerSecond);
  const shareOfDisk = berth.push.megabytesPerSecond / (diskRate / 1e6);
  return [
    { ...pushRow, alternative: { name: "share of the disk's synced write rate", value: shareOfDisk, atLeast: 0.8 } },
    rate(`push of known layers, ${label}`, 4, (outcome) => outcome.existing.imagesPerSecond),
    rate(`pull, ${label}`, size.pull, (outcome) => outcome.pull.imagesPerSecond),
    ...(size.megabytes === 100
      ? [
          processor('processor time per GB pushed', 1, (outcome) => outcome.push.processorSecondsPerGigabyte),
          processor('processor time per GB pulled', 2, (outcome) => outcome.pull.processorSecondsPerGigabyte),
        ]
      : []),
    {
      name: `99th percentile of /v2/ during pushes and pulls, ${label}`,
      unit: 'ms',
      target: { atMost: 20 },
      berth: Math.max(berth.push.stallP99Ms, berth.existing.stallP99Ms, berth.pull.stallP99Ms),
      peer: peer && Math.max(peer.push.stallP99Ms, peer.existing.stallP99Ms, peer.pull.stallP99Ms),
    },
  ];
}

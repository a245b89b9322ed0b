import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { imageOf, prepareBody, uniqueLayer } from '../content.ts';
import { RegionPair } from '../region-pair.ts';
import { RegistrySession } from '../registry-session.ts';
import type { Row } from '../report.ts';
import { emptyIndex, inParallel, indexType } from '../seeding.ts';
import { PlainCopies } from '../plain-copies.ts';

/** `lookMs`: whoever looks often is a client whom copies give way to. */
const sizes = [
  { name: '1 KB', bytes: 1_000, times: 50, atMostMs: 1_000, lookMs: 2 },
  { name: '10 MB', bytes: 10_000_000, times: 10, atMostMs: 1_000, lookMs: 10 },
] as const;
const large = { bytes: 1_000_000_000, times: 5, lookMs: 200 } as const;
const tagsPerRequest = 50;

/** What regions cost: until a push is complete in another one, a replica made anew, and pulls while bytes come in. */
export async function measureRegions(options: { readonly tags: number; readonly durationMs: number }): Promise<readonly Row[]> {
  prepareBody(large.bytes);
  const pair = await RegionPair.open();
  const copies = await PlainCopies.open();
  try {
    return [
      await measureBootstrap(pair, options.tags),
      ...(await measurePushes(pair)),
      await measureCopies(pair, copies),
      await measurePullsMeanwhile(pair, options.durationMs),
    ];
  } finally {
    // At the end: removing gigabytes goes on in the kernel for seconds, and slows down what is measured then.
    await Promise.all([pair.dispose(), copies.dispose()]);
  }
}

async function measureBootstrap(pair: RegionPair, tags: number): Promise<Row> {
  await inParallel(pair.east.target, Math.ceil(tags / tagsPerRequest), async (session, index) => {
    const names = Array.from({ length: tagsPerRequest }, (_, tag) => `tag=v${index * tagsPerRequest + tag}`);
    const path = `bench/r${index % 200}/manifests/latest?${names.join('&')}`;
    await session.putManifest('repository:*:*', path, emptyIndex(index), indexType);
  });
  const began = performance.now();
  await pair.replicate();
  const seconds = (performance.now() - began) / 1000;
  return { name: `a replica made of ${tags} tags`, unit: 's', berth: seconds, peer: undefined, target: { atMost: 60 } };
}

async function measurePushes(pair: RegionPair): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { name, bytes, times, atMostMs, lookMs } of sizes) {
    const taken: number[] = [];
    for (let index = 0; index < times; index += 1) taken.push(await untilComplete(pair, { bytes, tag: `s${index}`, lookMs }));
    rows.push({
      name: `push of ${name} until complete elsewhere, median`,
      unit: 'ms',
      berth: median(taken),
      peer: undefined,
      target: { atMost: atMostMs },
    });
  }
  return rows;
}

/** Each copy next to a plain one: how fast either is moves by a fifth within minutes. */
async function measureCopies(pair: RegionPair, copies: PlainCopies): Promise<Row> {
  const { bytes, times, lookMs } = large;
  const rates: number[] = [];
  const plain: number[] = [];
  for (let index = 0; index < times; index += 1) {
    const ms = await untilComplete(pair, { bytes, tag: `l${index}`, lookMs });
    rates.push(bytes / 1e3 / ms);
    plain.push((await copies.rate(bytes)) / 1e6);
  }
  return {
    name: 'copying 1 GB to another region, against one plain copy, median',
    unit: 'MB/s',
    berth: median(rates),
    peer: median(plain),
    target: { atLeastRatio: 0.6 },
  };
}

/** Milliseconds from the answer to the push of an image of one layer. */
async function untilComplete(
  pair: RegionPair,
  { bytes, tag, lookMs }: { readonly bytes: number; readonly tag: string; readonly lookMs: number },
): Promise<number> {
  const image = imageOf([uniqueLayer(bytes)]);
  const session = new RegistrySession(pair.east.target);
  await session.push('bench/regions', tag, image);
  session.close();
  const began = performance.now();
  await pair.complete('bench/regions', image.manifestDigest, lookMs);
  return performance.now() - began;
}

const warmUpMs = 2_000;
const copied = { images: 2, bytes: 50_000_000 } as const;

/** The 99th percentile of west's own pulls of a small image while it catches up with what was pushed while it was away. */
async function measurePullsMeanwhile(pair: RegionPair, durationMs: number): Promise<Row> {
  const image = imageOf([uniqueLayer(100_000)]);
  const own = new RegistrySession(pair.west.target);
  await own.push('bench/own', 'v1', image);
  own.close();
  const images = Array.from({ length: copied.images }, () => imageOf([uniqueLayer(copied.bytes)]));
  await pair.withoutWest(async () => {
    const session = new RegistrySession(pair.east.target);
    for (const [index, each] of images.entries()) await session.push('bench/meanwhile', `v${index}`, each);
    session.close();
  });
  // What earlier rows wrote is not to be written now.
  execFileSync('sync');
  giveWay(pair.east.pid);
  const session = new RegistrySession(pair.west.target);
  const pull = (): Promise<void> => session.pull('bench/own', 'v1', image);
  let isComplete = false;
  const complete = allComplete(pair, images).then(() => {
    isComplete = true;
  });
  // A program that has just started is slow for reasons of its own.
  await pullTimes(pull, (elapsed) => elapsed > warmUpMs);
  const busy = await pullTimes(pull, () => isComplete);
  await complete;
  const quiet = await pullTimes(pull, (elapsed) => elapsed > durationMs);
  session.close();
  return {
    name: '99th percentile of own pulls (100 KB) while replicating',
    unit: 'ms',
    berth: p99(busy),
    peer: p99(quiet),
    target: { atMostRatio: 1.5 },
  };
}

/** A region has a machine of its own: here what the other one does takes what west and its client leave. */
function giveWay(pid: number): void {
  for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), constants.priority.PRIORITY_LOW);
}

/** Looks seldom, and for one after the other: whoever asks for all of them all the time is what is measured. */
async function allComplete(pair: RegionPair, images: readonly { readonly manifestDigest: string }[]): Promise<void> {
  for (const { manifestDigest } of images) await pair.complete('bench/meanwhile', manifestDigest, 50);
}

async function pullTimes(pull: () => Promise<void>, isOver: (elapsedMs: number) => boolean): Promise<number[]> {
  const times: number[] = [];
  const began = performance.now();
  while (!isOver(performance.now() - began)) {
    const start = performance.now();
    await pull();
    times.push(performance.now() - start);
  }
  return times;
}

function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

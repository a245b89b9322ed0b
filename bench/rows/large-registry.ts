import { sha256 } from '../content.ts';
import { requestsPerSecond } from '../raw-requests.ts';
import { RegistrySession } from '../registry-session.ts';
import type { Row } from '../report.ts';
import { type RunningServer, startBerth } from '../servers.ts';
import { emptyIndex, inParallel, indexType } from '../seeding.ts';

const tagsPerRequest = 50;

/** What must not grow with the registry: a catalog page, and the start. Berth alone: the peer walks its files for both. */
export async function measureLargeRegistry(options: {
  readonly dataDir: string;
  readonly repositories: number;
  readonly tags: number;
  readonly durationMs: number;
}): Promise<Row[]> {
  const first = await startBerth({ dataDir: options.dataDir });
  const emptyStartMs = first.startMs;
  await seedRepositories(first, 0, 100);
  const few = await catalogPages(first, options.durationMs);
  await seedRepositories(first, 100, options.repositories);
  const many = await catalogPages(first, options.durationMs);
  await seedTags(first, options.tags);
  await first.stop();
  const second = await startBerth({ dataDir: options.dataDir });
  await second.stop();
  return [
    {
      name: `catalog page of 100 at ${options.repositories} repositories, against at 100`,
      unit: 'requests/s',
      berth: many,
      peer: few,
      target: { atLeastRatio: 0.9 },
    },
    { name: 'start to first answer, empty', unit: 'ms', berth: emptyStartMs, peer: undefined, target: { atMost: 500 } },
    {
      name: `start to first answer, ${options.tags} tags`,
      unit: 'ms',
      berth: second.startMs,
      peer: undefined,
      target: { atMost: 500 },
    },
  ];
}

async function seedRepositories(server: RunningServer, from: number, to: number): Promise<void> {
  const manifest = emptyIndex(0);
  await inParallel(server.target, to - from, async (session, index) => {
    const name = `bench/r${String(from + index).padStart(7, '0')}`;
    await session.putManifest('repository:*:*', `${name}/manifests/latest`, manifest, indexType);
  });
}

async function seedTags(server: RunningServer, tags: number): Promise<void> {
  const manifest = emptyIndex(0);
  const digest = sha256(manifest);
  await inParallel(server.target, Math.ceil(tags / tagsPerRequest), async (session, index) => {
    const names = Array.from({ length: tagsPerRequest }, (_, tag) => `tag=v${index * tagsPerRequest + tag}`);
    await session.putManifest(
      'repository:*:*',
      `bench/tags${index % 200}/manifests/${digest}?${names.join('&')}`,
      manifest,
      indexType,
    );
  });
}

async function catalogPages(server: RunningServer, durationMs: number): Promise<number> {
  const session = new RegistrySession(server.target);
  const authorization = await session.authorization('registry:catalog:*');
  session.close();
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  return requestsPerSecond({
    url: server.target.url,
    path: '/v2/_catalog?n=50&last=bench/r0000040',
    headers,
    connections: 8,
    durationMs,
  });
}

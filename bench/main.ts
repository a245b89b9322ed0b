import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { peakMemoryBytes } from './process-usage.ts';
import { type Row, formatRow, isReached, ratioOf } from './report.ts';
import { measureLargeRegistry } from './rows/large-registry.ts';
import { measureMetadata } from './rows/metadata.ts';
import { measureRegions } from './rows/regions.ts';
import { measureTasks } from './rows/tasks.ts';
import { measureTransfers } from './rows/transfers.ts';
import { type RunningServer, startBerth, startPeer } from './servers.ts';

const help = `npm run bench -- [options]

Measures Berth against another registry in one run, on this machine (ARCHITECTURE.md, "Numbers").

  --peer PROGRAM     a docker-registry program (default: docker-registry); "none" measures Berth alone
  --only GROUP,...   transfers, metadata, large, regions, tasks (default: the first three; tasks take root and a
                     Docker engine)
  --megabytes N,...  layer sizes of the transfers (default: 1,10,100)
  --scale X          how much work per measurement (default: 1)
  --repositories N   of the large registry (default: 100000)
  --tags N           of the large registry (default: 1000000)
  --profile FOLDER   writes CPU profiles of Berth there (for Chrome's developer tools)
  --json FILE        where the figures go (default: bench/results/latest.json)`;

const { values } = parseArgs({
  options: {
    peer: { type: 'string', default: 'docker-registry' },
    only: { type: 'string', default: 'metadata,transfers,large' },
    megabytes: { type: 'string', default: '1,10,100' },
    scale: { type: 'string', default: '1' },
    repositories: { type: 'string', default: '100000' },
    tags: { type: 'string', default: '1000000' },
    profile: { type: 'string' },
    json: { type: 'string', default: join(import.meta.dirname, 'results', 'latest.json') },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(help);
else await run();

async function run(): Promise<void> {
  const groups = values.only.split(',');
  const scale = Number(values.scale);
  const durationMs = 4000 * Math.min(1, scale);
  const rows: Row[] = [];
  const record = (measured: readonly Row[]): void => {
    for (const row of measured) console.log(formatRow(row));
    rows.push(...measured);
  };
  const servers: RunningServer[] = [await startBerth(values.profile === undefined ? {} : { profileTo: values.profile })];
  try {
    if (values.peer !== 'none') servers.push(await startPeer(values.peer));
    if (groups.includes('metadata')) record(await measureMetadata(servers, { durationMs }));
    if (groups.includes('transfers'))
      record(await measureTransfers(servers, { megabytes: values.megabytes.split(',').map(Number), scale }));
    record([memoryRow(servers)]);
  } finally {
    for (const server of servers) await server.dispose();
  }
  if (groups.includes('regions')) record(await measureRegions({ tags: Number(values.tags) / 10, durationMs }));
  if (groups.includes('tasks')) record(await measureTasks());
  if (groups.includes('large')) {
    const dataDir = await mkdtemp(join(tmpdir(), 'berth-bench-large-'));
    try {
      record(
        await measureLargeRegistry({ dataDir, repositories: Number(values.repositories), tags: Number(values.tags), durationMs }),
      );
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  }
  await writeResults(rows);
}

function memoryRow(servers: readonly RunningServer[]): Row {
  const [berth, peer] = servers.map((server) => peakMemoryBytes(server.pid) / 1e6);
  return { name: 'peak memory in all of the above', unit: 'MB', berth: berth ?? 0, peer, target: { atMost: 300 } };
}

async function writeResults(rows: readonly Row[]): Promise<void> {
  const machine = { processors: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version };
  const figures = rows.map((row) => ({ ...row, ratio: ratioOf(row), isReached: isReached(row) }));
  await mkdir(join(values.json, '..'), { recursive: true });
  await writeFile(values.json, `${JSON.stringify({ measuredAt: new Date().toISOString(), machine, rows: figures }, null, 2)}\n`);
  const missed = rows.filter((row) => isReached(row) === false);
  console.log(`${rows.length} rows, ${missed.length} missed; figures in ${values.json}`);
}

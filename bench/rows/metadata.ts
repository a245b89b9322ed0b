import { imageOf, sha256, uniqueLayer } from '../content.ts';
import { requestsPerSecond } from '../raw-requests.ts';
import { RegistrySession } from '../registry-session.ts';
import type { Row } from '../report.ts';
import type { RunningServer } from '../servers.ts';
import { emptyIndex, indexType, inParallel } from '../seeding.ts';

const repository = 'bench/metadata';
const tags = 5_000;
const deletes = 20;

/** Manifest reads, tag pages and deletes in a repository of 5,000 tags (architecture.md, section 13). */
export async function measureMetadata(
  servers: readonly RunningServer[],
  options: { readonly durationMs: number },
): Promise<Row[]> {
  const manifestGets: number[] = [];
  const tagPages: number[] = [];
  const deleteMs: number[] = [];
  for (const server of servers) {
    const doomed = await seed(server);
    manifestGets.push(await reads(server, `/v2/${repository}/manifests/image`, 32, options.durationMs));
    tagPages.push(await reads(server, `/v2/${repository}/tags/list?n=100&last=t02500`, 8, options.durationMs));
    deleteMs.push(await meanDeleteMs(server, doomed));
  }
  const row = (name: string, unit: string, values: readonly number[], target: Row['target']): Row => ({
    name,
    unit,
    berth: values[0] ?? 0,
    peer: values[1],
    target,
  });
  return [
    row('manifest GET by tag, 32 connections', 'requests/s', manifestGets, { atLeastRatio: 10 }),
    row(`tags page of 100 in ${tags} tags`, 'requests/s', tagPages, { atLeastRatio: 20 }),
    row(
      `delete by digest in ${tags} tags`,
      'deletes/s',
      deleteMs.map((ms) => 1000 / ms),
      { atLeastRatio: 30 },
    ),
  ];
}

/** An image, 5,000 tags on manifests of their own; returns digests to delete. */
async function seed(server: RunningServer): Promise<string[]> {
  const session = new RegistrySession(server.target);
  await session.push(repository, 'image', imageOf([uniqueLayer(100_000)]));
  session.close();
  const digests: string[] = [];
  await inParallel(server.target, tags, async (session, index) => {
    const manifest = emptyIndex(index);
    if (index < deletes) digests.push(sha256(manifest));
    await session.putManifest(
      `repository:${repository}:pull,push`,
      `${repository}/manifests/t${String(index).padStart(5, '0')}`,
      manifest,
      indexType,
    );
  });
  return digests;
}

async function reads(server: RunningServer, path: string, connections: number, durationMs: number): Promise<number> {
  const session = new RegistrySession(server.target);
  const authorization = await session.authorization(`repository:${repository}:pull`);
  session.close();
  const headers: Record<string, string> = {
    accept: '*/*, application/vnd.oci.image.manifest.v1+json',
    ...(authorization && { authorization }),
  };
  const run = { url: server.target.url, path, headers, connections };
  await requestsPerSecond({ ...run, durationMs: durationMs / 4 });
  return requestsPerSecond({ ...run, durationMs });
}

async function meanDeleteMs(server: RunningServer, digests: readonly string[]): Promise<number> {
  const session = new RegistrySession(server.target);
  const scope = `repository:${repository}:delete`;
  await session.authorization(scope);
  const began = performance.now();
  for (const digest of digests)
    await session.call(scope, { method: 'DELETE', path: `/v2/${repository}/manifests/${digest}`, expect: [202] });
  session.close();
  return (performance.now() - began) / digests.length;
}

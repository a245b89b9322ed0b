import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ManagerClient,
  RegistryClient,
  type StartedRegistry,
  findPostgresPrograms,
  randomImage,
  readOwner,
  startPostgresCluster,
  startRegistry,
} from '@berth/testkit';
import { isRequired } from '../clients/client-program.ts';

const programs = findPostgresPrograms();
const patienceMs = 60_000;

/** A database of its own, in a server of its own. */
async function startDatabase(started: AsyncDisposableStack, folder: string) {
  const cluster = await startPostgresCluster(folder);
  started.defer(() => cluster.stop());
  const query = (url: string, sql: string): string =>
    execFileSync(join(folder, 'psql'), ['--no-psqlrc', '-qAt', '-v', 'ON_ERROR_STOP=1', '-c', sql, url], { encoding: 'utf8' });
  query(cluster.url, 'create database berth');
  return { url: cluster.url.replace(/\/postgres$/, '/berth'), query };
}

async function startReceiver(started: AsyncDisposableStack): Promise<{ readonly url: string; readonly tags: string[] }> {
  const tags: string[] = [];
  const server: Server = createServer((request, response) => {
    void json(request).then((event) => {
      tags.push((event as { readonly target: { readonly tag: string } }).target.tag);
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  started.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, tags };
}

async function push(registry: StartedRegistry, tag: string): Promise<void> {
  using client = new RegistryClient(registry);
  await client.pushImage('app', randomImage(), tag);
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + patienceMs; performance.now() < end; await delay(50)) if (isSo()) return;
  throw new Error(`in ${patienceMs / 1000} s it did not come to be that ${what}`);
}

test('a dump that is restored into another PostgreSQL server goes on: what comes after it is told to webhooks', {
  skip: programs === undefined && !isRequired('postgres') ? 'PostgreSQL is not installed' : false,
}, async () => {
  assert.ok(programs !== undefined);
  // Ended in the other order.
  await using started = new AsyncDisposableStack();
  const [first, second] = [await startDatabase(started, programs), await startDatabase(started, programs)];
  // Its transactions have numbers that the other server has yet to come to.
  first.query(first.url, 'do $$ begin for i in 1..20000 loop perform pg_current_xact_id(); commit; end loop; end $$');
  const receiver = await startReceiver(started);
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-dump-'));
  started.defer(() => rm(dataDir, { recursive: true, force: true }));
  const settings = { outboundAllow: '127.0.0.1' };

  const before = await startRegistry({ dataDir, settings: { ...settings, database: first.url } });
  using manager = new ManagerClient(before.url, await readOwner(dataDir));
  const properties = { serviceUri: receiver.url, actions: ['push'] };
  const made = await manager.call('PUT', manager.provider('registries/local/webhooks/deploy'), { location: 'local', properties });
  assert.ok(made.status < 300, made.body.toString());
  await push(before, 'before');
  await until('the push is told', () => receiver.tags.length === 1);
  await before.stop();
  const dump = execFileSync(join(programs, 'pg_dump'), ['--no-owner', first.url], { maxBuffer: 2 ** 28 });
  execFileSync(join(programs, 'psql'), ['--no-psqlrc', '-q', '-v', 'ON_ERROR_STOP=1', second.url], {
    input: dump,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ahead = second.query(
    second.url,
    'select count(*) from changes where transaction_id >= pg_snapshot_xmax(pg_current_snapshot())',
  );
  assert.ok(Number(ahead) > 0, 'the log is of transactions to come');

  const after = await startRegistry({ dataDir, settings: { ...settings, database: second.url } });
  started.defer(() => after.stop());
  await push(after, 'after');
  await until('the push after it is told, too', () => receiver.tags.length === 2);
  assert.deepEqual(receiver.tags, ['before', 'after']);
});

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A private PostgreSQL server on a Unix socket, for one test process or one test run. */
export interface PostgresCluster {
  /** URL of its maintenance database; put another path in to reach another. */
  readonly url: string;
  stop(): Promise<void>;
}

const installations = '/usr/lib/postgresql';

/** The folder of the newest installed server's programs. */
export function findPostgresPrograms(): string | undefined {
  let versions: string[];
  try {
    versions = readdirSync(installations);
  } catch {
    return undefined;
  }
  const newest = versions
    .filter((version) => /^\d+$/.test(version))
    .toSorted((a, b) => Number(a) - Number(b))
    .at(-1);
  return newest === undefined ? undefined : join(installations, newest, 'bin');
}

/**
 * Runs the server and waits for the end of its input: when whoever holds the other end of the pipe stops or dies,
 * however it dies, the server stops and its folder goes.
 */
const supervisor = `
  "$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c unix_socket_permissions=0777 \\
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 \\
    -c max_connections=200 -c deadlock_timeout=50ms -c shared_buffers=64MB -c log_min_messages=log -c lc_messages=C &
  server=$!
  cat > /dev/null
  kill -INT $server
  wait $server
  rm -rf "$2"
`;

/**
 * Makes and starts a cluster whose default collation is a language's, so that tests notice a column that forgot
 * COLLATE "C". Root starts it as the user `postgres`: the server refuses to run as root.
 */
export async function startPostgresCluster(programs: string): Promise<PostgresCluster> {
  const owner = process.getuid?.() === 0 ? postgresUser() : undefined;
  const folder = mkdtempSync(join(roomyFolder(), 'berth-pg-'));
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const collation = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en'];
  const init = ['--pgdata', data, '--username=berth', '--auth=trust', '--no-sync', '--no-instructions', ...collation];
  execFileSync(join(programs, 'initdb'), init, { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const child = spawn('/bin/sh', ['-c', supervisor, 'sh', programs, folder], {
    ...owner,
    cwd: folder,
    // Its own group: an interrupt from the keyboard must reach it as the end of its input, not as a signal.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  await untilReady(child);
  return { url: `postgres://berth@${encodeURIComponent(folder)}/postgres`, stop: () => stop(child) };
}

/** In memory where there is room: a new database for each test then takes 20 ms rather than 250. */
function roomyFolder(): string {
  const inMemory = '/dev/shm';
  try {
    const { bavail, bsize } = statfsSync(inMemory);
    return bavail * bsize > 2 ** 30 ? inMemory : tmpdir();
  } catch {
    return tmpdir();
  }
}

async function untilReady(child: ChildProcess): Promise<void> {
  const { stderr } = child;
  if (stderr === null) throw new Error('the supervisor has no stderr');
  const said: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    said.push(line);
    if (line.includes('database system is ready to accept connections')) {
      stderr.resume();
      letProcessEnd(child);
      return;
    }
  }
  throw new Error(`PostgreSQL did not start:\n${said.join('\n')}`);
}

/** The cluster must not keep a finished test process alive: its end closes the pipe. */
function letProcessEnd(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stderr]) {
    if (stream !== null && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
}

function stop(child: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.ref();
  child.once('exit', () => resolve());
  if (child.exitCode !== null || child.signalCode !== null) resolve();
  child.stdin?.end();
  return promise;
}

function postgresUser(): { readonly uid: number; readonly gid: number } {
  return { uid: postgresId('-u'), gid: postgresId('-g') };
}

function postgresId(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}

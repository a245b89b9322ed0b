import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import {
  accessSync,
  chmodSync,
  constants,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentRefusal } from './refusal.ts';

/** In memory, on Linux. */
const memoryFolder = '/dev/shm';

/** What an agent keeps on disk: who it is, and the files of its runs. */
export interface WorkFolder {
  /** Random; the same as long as the folder is. */
  readonly agentId: string;
  /** A new folder for a run, and one for its secrets: in memory where the system has such a place. Nobody else can read them. */
  openRun(run: string): RunFolders;
  /** Of what builds keep for the next. */
  readonly cachesFolder: string;
  /** A path of less than 50 characters for what need not outlive the agent, by any name; in memory where the system has such a place. */
  inMemory(name: string): string;
  /** Removes what runs of a predecessor left. */
  removeOldRuns(remove: (path: string) => Promise<void>): Promise<void>;
  release(): void;
}

export interface RunFolders {
  readonly folder: string;
  readonly secretsFolder: string;
}

/** Owns a folder until released. @throws AgentRefusal when another agent does, or it cannot be written to */
export function openWorkFolder(path: string): WorkFolder {
  const runs = join(path, 'runs');
  try {
    mkdirSync(runs, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new AgentRefusal(
      `the work folder ${path} cannot be used (${code})`,
      'name one that this user can write to with --work',
      {
        cause: error,
      },
    );
  }
  const lock = takeLock(join(path, 'agent.lock'), path);
  const agentId = readId(join(path, 'agent-id'));
  const ownPrefix = `berth-agent-${agentId}-`;
  const shortFolder = isWritable(memoryFolder) ? memoryFolder : tmpdir();
  return {
    agentId,
    cachesFolder: join(path, 'caches'),
    inMemory: (name) => join(shortFolder, `${ownPrefix}${createHash('sha256').update(name).digest('hex').slice(0, 8)}`),
    openRun: (run) => {
      const name = `${run.replaceAll(/[^A-Za-z0-9]/g, '_').slice(0, 40)}-${randomBytes(6).toString('hex')}`;
      const folder = join(runs, name);
      mkdirSync(folder, { mode: 0o700 });
      return { folder, secretsFolder: makeSecretsFolder(`${ownPrefix}${name}`, folder) };
    },
    removeOldRuns: async (remove) => {
      for (const name of readdirSync(runs)) await remove(join(runs, name));
      for (const folder of new Set([memoryFolder, shortFolder]))
        for (const name of listFolder(folder).filter((each) => each.startsWith(ownPrefix))) await remove(join(folder, name));
    },
    release: () => {
      for (const name of listFolder(shortFolder).filter((each) => each.startsWith(ownPrefix)))
        removeQuietly(join(shortFolder, name));
      lock.release();
    },
  };
}

/** Removes a folder with all that is in it, also what its owner may not write to. Links are never followed. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    openFolders(path);
    await rm(path, { recursive: true, force: true });
  }
}

function openFolders(path: string): void {
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) openFolders(join(path, entry.name));
}

function makeSecretsFolder(name: string, runFolder: string): string {
  if (process.platform === 'linux') {
    try {
      const inMemory = join(memoryFolder, name);
      mkdirSync(inMemory, { mode: 0o700 });
      return inMemory;
    } catch {
      // Containers may have none that can be written to.
    }
  }
  const onDisk = join(runFolder, 'secrets');
  mkdirSync(onDisk, { mode: 0o700 });
  return onDisk;
}

/** What cannot be removed now is, when the next agent of the folder begins. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Of a container's user.
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function listFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readId(path: string): string {
  const known = readText(path);
  if (known !== undefined && /^[0-9a-f]{16}$/.test(known)) return known;
  const id = randomBytes(8).toString('hex');
  writeFileSync(path, id, { mode: 0o600 });
  return id;
}

/** The lock is a file that names its process. It is made whole: a half-written one would belong to nobody. */
function takeLock(path: string, folder: string): { release(): void } {
  const own = `${process.pid} ${startOf(process.pid)}`;
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, own, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      try {
        linkSync(draft, path);
        return { release: () => void (readText(path) === own && rmSync(path, { force: true })) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readText(path);
      if (holder === undefined) continue;
      if (isAlive(holder)) break;
      takeAway(path, holder);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  const [pid = ''] = (readText(path) ?? '').split(' ');
  throw new AgentRefusal(
    `another agent (process ${pid}) uses the work folder ${folder}`,
    'stop it, or give this one a folder of its own with --work',
  );
}

/** Removes the lock of a dead process, and only that: another agent may have taken it over in the meantime. */
function takeAway(path: string, holder: string): void {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
    if (readText(aside) !== holder) linkSync(aside, path);
  } catch {
    // Somebody else was faster.
  }
  rmSync(aside, { force: true });
}

function isAlive(holder: string): boolean {
  const [pidText = '', start = ''] = holder.split(' ');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // Numbers of processes are used again, above all 1 and its neighbours in containers.
  return start === '' || startOf(pid) === '' || startOf(pid) === start;
}

/** When a process began, in ticks of this boot; empty where the system does not say. */
function startOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const boot = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return fields?.[19] === undefined ? '' : `${boot}:${fields[19]}`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

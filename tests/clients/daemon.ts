import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { findProgram, runProgram } from './client-program.ts';

/** Stops a daemon that a test started, and takes away whatever it left mounted below its folder. */
export async function stopDaemon(daemon: ChildProcess, folder: string): Promise<void> {
  if (daemon.exitCode === null && daemon.signalCode === null) {
    const exited = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    const patience = setTimeout(() => daemon.kill('SIGKILL'), 20_000);
    await exited;
    clearTimeout(patience);
  }
  await unmountBelow(folder);
}

/** Unmounts everything mounted below a folder, the deepest first. */
export async function unmountBelow(folder: string): Promise<void> {
  const umount = findProgram('umount');
  if (umount === undefined) return;
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  const inside = mounts.filter((path) => path.startsWith(`${folder}/`)).toSorted((a, b) => b.length - a.length);
  for (const path of inside) await runProgram(umount, ['--lazy', path]);
}

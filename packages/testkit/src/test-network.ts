import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { findProgram, missingPrograms } from './find-program.ts';

/** A network of the tests' own, where a container engine may make bridges and filters without touching the machine's. */
export interface TestNetwork {
  /** What a program is started by, to run in it: it becomes the program. */
  readonly startedBy: readonly string[];
  /** Its own address: its programs, its containers and this process reach each other by it. */
  readonly address: string;
  close(): Promise<void>;
}

/** Why there can be none here; undefined: there can. */
export function missingForNetwork(): string | undefined {
  if (process.getuid?.() !== 0) return 'it takes root to make a network';
  return missingPrograms(['ip', 'nsenter', 'iptables']);
}

/** A namespace with one link to this process, both ends in the range for tests of devices (RFC 2544). */
export async function openTestNetwork(): Promise<TestNetwork> {
  const run = promisify(execFile);
  const ip = (...args: readonly string[]): Promise<unknown> => run(findProgram('ip') ?? 'ip', args);
  // Several test files at once, each with a subnet of its own.
  const block = randomInt(2 ** 14);
  const [outside, inside] = [1, 2].map((last) => `198.18.${block >> 6}.${((block & 63) << 2) + last}`);
  const id = `berth${block}-${process.pid}`;
  const link = `bt${block}`;
  await ip('netns', 'add', id);
  // The link goes with it.
  const close = async (): Promise<void> => void (await ip('netns', 'delete', id));
  try {
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', id);
    await ip('address', 'add', `${outside}/30`, 'dev', link);
    await ip('link', 'set', link, 'up');
    await ip('-netns', id, 'address', 'add', `${inside}/30`, 'dev', 'uplink');
    await ip('-netns', id, 'link', 'set', 'uplink', 'up');
    await ip('-netns', id, 'link', 'set', 'lo', 'up');
  } catch (error) {
    await close();
    throw error;
  }
  return { startedBy: [findProgram('nsenter') ?? 'nsenter', `--net=/run/netns/${id}`], address: inside ?? '', close };
}

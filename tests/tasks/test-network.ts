import { randomInt } from 'node:crypto';
import { findProgram, runProgram } from '../clients/client-program.ts';

/** A network of the tests' own, where a container engine may make bridges and filters without touching the machine's. */
export interface TestNetwork {
  /** What a program is started by, to run in it: it becomes the program. */
  readonly startedBy: readonly string[];
  /** Its own address: its programs, its containers and this process reach each other by it. */
  readonly address: string;
  close(): Promise<void>;
}

/** Programs that it takes, beside being root. */
export const networkPrograms = ['ip', 'nsenter', 'iptables'] as const;

/** A namespace with one link to this process, both ends in the range for tests of devices (RFC 2544). */
export async function openTestNetwork(): Promise<TestNetwork> {
  const ip = (...args: readonly string[]): Promise<unknown> => runProgram(findProgram('ip') ?? 'ip', args);
  // Several test files at once: a taken subnet shows by the address, which cannot be added twice to the same link.
  const block = randomInt(2 ** 14);
  const [outside, inside] = [1, 2].map((last) => `198.18.${block >> 6}.${((block & 63) << 2) + last}`);
  const id = `berth${process.pid % 100_000}${randomInt(100)}`;
  const link = `bt${process.pid % 100_000}${randomInt(100)}`;
  await ip('netns', 'add', id);
  const close = async (): Promise<void> => void (await ip('netns', 'delete', id));
  try {
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', id);
    await ip('address', 'add', `${outside}/30`, 'dev', link);
    await ip('link', 'set', link, 'up');
    await ip('-netns', id, 'address', 'add', `${inside}/30`, 'dev', 'uplink');
    await ip('-netns', id, 'link', 'set', 'uplink', 'up');
    await ip('-netns', id, 'link', 'set', 'lo', 'up');
    // Without a default route the engine has none to copy, and warns at each container.
    await ip('-netns', id, 'route', 'add', 'default', 'via', outside ?? '');
  } catch (error) {
    await close();
    throw error;
  }
  return { startedBy: [findProgram('nsenter') ?? 'nsenter', `--net=/run/netns/${id}`], address: inside ?? '', close };
}

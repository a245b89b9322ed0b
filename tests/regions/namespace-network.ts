import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { findProgram, missingPrograms } from '@berth/testkit';
import type { LinkState } from './link.ts';
import type { RegionOptions } from './region.ts';
import { type RegionName, type RegionNetwork, regionNames } from './region-network.ts';

const run = promisify(execFile);
const port = 5000;

/** Why there can be none here; undefined: there can. */
export function missingForNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'it takes root to make network namespaces';
  return missingPrograms(['ip', 'nsenter', 'iptables', 'tc', 'sysctl']);
}

/**
 * A network namespace for each region, joined by a bridge in a fourth one, to which this process has a link, too. Cut: packets are
 * dropped, so that connections hang as in a network that has broken. Slow: little gets through, a twentieth of it is lost, and a fifth
 * takes a slower way, so that the rest overtakes it.
 */
export class NamespaceNetwork implements RegionNetwork {
  readonly #id: string;
  readonly #subnet: string;
  readonly #states = new Map<string, LinkState>();

  static async open(): Promise<NamespaceNetwork> {
    const block = randomInt(2 ** 8);
    const network = new NamespaceNetwork(`br${block}-${process.pid}`, `198.19.${block}`);
    try {
      await network.#build(`brt${block}`);
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    return network;
  }

  constructor(id: string, subnet: string) {
    this.#id = id;
    this.#subnet = subnet;
  }

  addressOf(_from: RegionName, to: RegionName): string {
    return `http://${this.#host(to)}:${port}`;
  }

  placeOf(name: RegionName): Pick<RegionOptions, 'startedBy' | 'host' | 'port'> {
    return {
      startedBy: [findProgram('nsenter') ?? 'nsenter', `--net=/run/netns/${this.#space(name)}`],
      host: this.#host(name),
      port,
    };
  }

  started(): void {
    // The address stays the same.
  }

  async set(from: RegionName, to: RegionName, state: LinkState): Promise<void> {
    this.#states.set(`${from}>${to}`, state);
    await this.#apply(to);
  }

  async heal(): Promise<void> {
    this.#states.clear();
    for (const name of regionNames) await this.#apply(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of ['bridge', ...regionNames])
      await run(ipProgram(), ['netns', 'delete', this.#space(name)]).catch(() => undefined);
  }

  /** What a region takes from each other one. */
  async #apply(to: RegionName): Promise<void> {
    const inside = (program: string, ...args: readonly string[]): Promise<unknown> =>
      run(ipProgram(), ['netns', 'exec', this.#space(to), program, ...args]);
    const rule = (...args: readonly string[]): Promise<unknown> => inside('iptables', ...args);
    await rule('-F', 'INPUT');
    await rule('-t', 'mangle', '-F', 'OUTPUT');
    for (const from of regionNames) {
      const state = this.#states.get(`${from}>${to}`);
      const peer = this.#host(from);
      if (state === 'cut' || state === 'silent') await rule('-A', 'INPUT', '-s', peer, '-j', 'DROP');
      if (state !== 'slow') continue;
      await rule('-A', 'INPUT', '-s', peer, ...partOf('0.05'), '-j', 'DROP');
      await rule('-t', 'mangle', '-A', 'OUTPUT', '-d', peer, ...partOf('0.2'), '-j', 'MARK', '--set-mark', detourMark);
    }
    const isSlow = regionNames.some((from) => this.#states.get(`${from}>${to}`) === 'slow');
    for (const [way, queue] of [['uplink', slow] as const, ['detour', slower] as const])
      await inside('tc', 'qdisc', 'replace', 'dev', way, 'root', ...(isSlow ? queue : ['pfifo', 'limit', '1000']));
  }

  /** Packets that reached a region after others that were sent later. */
  async overtaken(name: RegionName): Promise<number> {
    const { stdout } = await run(ipProgram(), ['netns', 'exec', this.#space(name), 'cat', '/proc/net/netstat']);
    const [names = [], counts = []] = stdout
      .split('\n')
      .filter((line) => line.startsWith('TcpExt:'))
      .map((line) => line.split(' '));
    return Number(counts[names.indexOf('TCPOFOQueue')]);
  }

  async #build(outside: string): Promise<void> {
    const ip = (...args: readonly string[]): Promise<unknown> => run(ipProgram(), args);
    const bridge = this.#space('bridge');
    await ip('netns', 'add', bridge);
    await ip('-netns', bridge, 'link', 'add', 'bridge', 'type', 'bridge');
    await ip('-netns', bridge, 'link', 'set', 'bridge', 'up');
    await ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'outside', 'netns', bridge);
    await ip('address', 'add', `${this.#subnet}.1/24`, 'dev', outside);
    await ip('link', 'set', outside, 'up');
    await ip('-netns', bridge, 'link', 'set', 'outside', 'master', 'bridge', 'up');
    for (const name of regionNames) {
      const space = this.#space(name);
      await ip('netns', 'add', space);
      for (const [way, port] of [['uplink', name] as const, ['detour', `${name}-detour`] as const]) {
        await ip('-netns', bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'name', way, 'netns', space);
        await ip('-netns', bridge, 'link', 'set', port, 'master', 'bridge', 'up');
        await ip('-netns', space, 'link', 'set', way, 'up');
      }
      await ip('-netns', space, 'address', 'add', `${this.#host(name)}/24`, 'dev', 'uplink');
      await ip('-netns', space, 'link', 'set', 'lo', 'up');
      const network = `${this.#subnet}.0/24`;
      await ip('-netns', space, 'route', 'add', network, 'dev', 'detour', 'src', this.#host(name), 'table', detourTable);
      await ip('-netns', space, 'rule', 'add', 'fwmark', detourMark, 'table', detourTable);
      // Answers come back by whichever way.
      const loose = ['all', 'uplink', 'detour'].map((way) => `net.ipv4.conf.${way}.rp_filter=0`);
      await ip('netns', 'exec', space, findProgram('sysctl') ?? 'sysctl', '-q', ...loose);
    }
  }

  #space(name: string): string {
    return `${this.#id}-${name}`;
  }

  #host(name: RegionName): string {
    return `${this.#subnet}.${regionNames.indexOf(name) + 10}`;
  }
}

const detourMark = '2';
const detourTable = '2';

function partOf(probability: string): readonly string[] {
  return ['-m', 'statistic', '--mode', 'random', '--probability', probability];
}

const slow = ['tbf', 'rate', '8mbit', 'burst', '32kbit', 'latency', '200ms'] as const;

const slower = ['tbf', 'rate', '2mbit', 'burst', '16kbit', 'latency', '400ms'] as const;

function ipProgram(): string {
  return findProgram('ip') ?? 'ip';
}

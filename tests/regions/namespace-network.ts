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
  return missingPrograms(['ip', 'nsenter', 'iptables', 'tc']);
}

/**
 * A network namespace for each region, joined by a bridge in a fourth one, to which this process has a link, too. Cut: packets are
 * dropped, so that connections hang as in a network that has broken. Slow: little gets through, and a twentieth of it is lost, so that
 * the rest overtakes.
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
    await inside('iptables', '-F', 'INPUT');
    for (const from of regionNames) {
      const state = this.#states.get(`${from}>${to}`);
      if (state === 'cut' || state === 'silent') await inside('iptables', '-A', 'INPUT', '-s', this.#host(from), '-j', 'DROP');
      if (state === 'slow')
        await inside(
          'iptables',
          '-A',
          'INPUT',
          '-s',
          this.#host(from),
          '-m',
          'statistic',
          '--mode',
          'random',
          '--probability',
          '0.05',
          '-j',
          'DROP',
        );
    }
    const isSlow = regionNames.some((from) => this.#states.get(`${from}>${to}`) === 'slow');
    await inside('tc', 'qdisc', 'replace', 'dev', 'uplink', 'root', ...(isSlow ? slow : ['pfifo', 'limit', '1000']));
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
      await ip('-netns', bridge, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', space);
      await ip('-netns', bridge, 'link', 'set', name, 'master', 'bridge', 'up');
      await ip('-netns', space, 'address', 'add', `${this.#host(name)}/24`, 'dev', 'uplink');
      await ip('-netns', space, 'link', 'set', 'uplink', 'up');
      await ip('-netns', space, 'link', 'set', 'lo', 'up');
    }
  }

  #space(name: string): string {
    return `${this.#id}-${name}`;
  }

  #host(name: RegionName): string {
    return `${this.#subnet}.${regionNames.indexOf(name) + 10}`;
  }
}

const slow = ['tbf', 'rate', '8mbit', 'burst', '32kbit', 'latency', '200ms'] as const;

function ipProgram(): string {
  return findProgram('ip') ?? 'ip';
}

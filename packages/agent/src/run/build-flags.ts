import type { Flag } from '@berth/task-file';
import type { RunLimits } from './run-host.ts';

/** What a build asks of the engine beside what every build has. */
export interface BuildFlags {
  readonly passed: readonly string[];
  readonly notes: readonly string[];
}

const passedOn: ReadonlySet<string> = new Set(
  'add-host cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems isolation memory memory-swap shm-size ulimit'.split(' '),
);
/** They change nothing for what is built here. */
const passedOver: ReadonlySet<string> = new Set(
  'compress disable-content-trust force-rm load progress quiet rm squash stream'.split(' '),
);
const reasons: Readonly<Record<string, string>> = {
  push: 'add a push step',
  output: 'a build makes an image; run a container to take files out of it',
  iidfile: 'the digest is in the result of the run',
  'metadata-file': 'the digest is in the result of the run',
  ssh: 'there is no key agent; use --secret',
  'cache-from': 'the agent keeps a cache by itself',
  'cache-to': 'the agent keeps a cache by itself',
  'build-context': 'copy what is needed into the workspace in an earlier step',
};

/** @throws Error whose message goes on after `build` */
export function readBuildFlags(flags: readonly Flag[], { allowsPrivileged }: Pick<RunLimits, 'allowsPrivileged'>): BuildFlags {
  const passed: string[] = [];
  const notes: string[] = [];
  for (const { name, value } of flags) {
    if (passedOver.has(name)) continue;
    if (name === 'sbom' || name === 'provenance' || name === 'attest') {
      notes.push(`--${name} is passed over: ask for it with berth build --sbom and --provenance`);
      continue;
    }
    const isPrivilegedNetwork = name === 'network' && value !== 'default' && value !== 'none';
    if (isPrivilegedNetwork && !(allowsPrivileged && value === 'host'))
      throw new Error(`has --network ${value}; the network of a build is default or none`);
    if (!passedOn.has(name) && name !== 'network')
      throw new Error(`has --${name}, which a build may not have${reasons[name] === undefined ? '' : `: ${reasons[name]}`}`);
    passed.push(`--${name}`, ...(value === undefined ? [] : [value]));
  }
  return { passed, notes };
}

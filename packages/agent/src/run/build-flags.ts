import type { Flag } from '@berth/task-file';
import type { RunLimits } from './run-host.ts';

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

/** What a build asks of the engine beside what every build has. @throws Error whose message goes on after `build` */
export function readBuildFlags(
  flags: readonly Flag[],
  { allowsPrivileged }: Pick<RunLimits, 'allowsPrivileged'>,
): readonly string[] {
  const passed: string[] = [];
  for (const { name, value } of flags) {
    if (passedOver.has(name)) continue;
    const isPrivilegedNetwork = name === 'network' && value !== 'default' && value !== 'none';
    if (isPrivilegedNetwork && !(allowsPrivileged && value === 'host'))
      throw new Error(`has --network ${value}; the network of a build is default or none`);
    if (!passedOn.has(name) && name !== 'network')
      throw new Error(`has --${name}, which a build may not have${reasons[name] === undefined ? '' : `: ${reasons[name]}`}`);
    passed.push(`--${name}`, ...(value === undefined ? [] : [value]));
  }
  return passed;
}

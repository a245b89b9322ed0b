import { type Attests, attestFlags, readAttests } from './read-attests.ts';
import { type Flag, type FlagTable, readFlags } from './read-flags.ts';
import { splitWords } from './split-words.ts';

/** What a `build` step asks for: the arguments of `docker build` (acr-tasks 1.2). */
export interface BuildCommand {
  readonly tags: readonly string[];
  /** Relative to the working directory; undefined: `Dockerfile` in the context. */
  readonly file: string | undefined;
  readonly target: string | undefined;
  /** `NAME=value`, or a name whose value is that of the step's environment. */
  readonly arguments: readonly string[];
  readonly platforms: readonly string[];
  readonly labels: readonly string[];
  /** `id=…,src=…` and `env=…`, as docker takes them. */
  readonly secrets: readonly string[];
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly attests: Attests;
  /** All other flags, to be handed to the engine. */
  readonly others: readonly Flag[];
  readonly context: string;
}

const buildFlags: FlagTable = {
  withValue: new Set(
    (
      'add-host allow annotation attest build-arg build-context cache-from cache-to cgroup-parent cpu-period cpu-quota cpu-shares ' +
      'cpuset-cpus cpuset-mems file iidfile isolation label memory memory-swap metadata-file network no-cache-filter output platform ' +
      'progress provenance sbom secret security-opt shm-size ssh tag target ulimit'
    ).split(' '),
  ),
  switches: new Set('compress disable-content-trust force-rm load no-cache pull push quiet rm squash stream'.split(' ')),
  letters: { c: 'cpu-shares', f: 'file', m: 'memory', o: 'output', q: 'quiet', t: 'tag' },
};
const own: ReadonlySet<string> = new Set([
  'tag',
  'file',
  'target',
  'build-arg',
  'platform',
  'label',
  'secret',
  'no-cache',
  'pull',
  ...attestFlags,
]);

/** @throws Error whose message goes on after `build` */
export function parseBuildCommand(text: string): BuildCommand {
  const { flags, rest } = readFlags(splitWords(text), buildFlags, true);
  // Before the context is looked for, which a flag without its value swallows.
  const attests = readAttests(flags);
  const [context, ...others] = rest;
  if (context === undefined) throw new Error('names no context: end it with a folder, such as .');
  if (others.length > 0) throw new Error(`names more than one context: ${rest.join(' and ')}`);
  const all = (name: string): string[] => flags.flatMap((flag) => (flag.name === name ? [flag.value ?? ''] : []));
  const has = (name: string): boolean => flags.some((flag) => flag.name === name);
  return {
    tags: all('tag'),
    file: all('file').at(-1),
    target: all('target').at(-1),
    arguments: all('build-arg'),
    platforms: all('platform').flatMap((platform) => platform.split(',')),
    labels: all('label'),
    secrets: all('secret'),
    noCache: has('no-cache'),
    pull: has('pull'),
    attests,
    others: flags.filter(({ name }) => !own.has(name)),
    context,
  };
}

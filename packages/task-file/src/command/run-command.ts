import { type Flag, type FlagTable, readFlags } from './read-flags.ts';
import { splitWords } from './split-words.ts';

/** What a `cmd` step runs: acr-tasks 1.2. Flags of `docker run` may stand before the image. */
export interface RunCommand {
  readonly flags: readonly Flag[];
  readonly image: string;
  readonly arguments: readonly string[];
}

/** Of `docker run`; what Berth itself sets, or what would reach beyond the run, is refused by whoever executes it. */
const runFlags: FlagTable = {
  withValue: new Set(
    (
      'add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile cpu-period ' +
      'cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems detach-keys device device-cgroup-rule ' +
      'device-read-bps device-read-iops device-write-bps device-write-iops dns dns-option dns-search domainname entrypoint env ' +
      'env-file expose gpus group-add health-cmd health-interval health-retries health-start-period health-timeout hostname ip ip6 ' +
      'ipc isolation kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation ' +
      'memory-swap memory-swappiness mount name network network-alias oom-score-adj pid pids-limit platform publish pull restart ' +
      'runtime security-opt shm-size stop-signal stop-timeout storage-opt sysctl tmpfs ulimit user userns uts volume volume-driver ' +
      'volumes-from workdir net net-alias'
    ).split(' '),
  ),
  switches: new Set(
    'detach disable-content-trust init interactive no-healthcheck oom-kill-disable privileged publish-all quiet read-only rm sig-proxy tty'.split(
      ' ',
    ),
  ),
  letters: {
    a: 'attach',
    c: 'cpu-shares',
    d: 'detach',
    e: 'env',
    h: 'hostname',
    i: 'interactive',
    l: 'label',
    m: 'memory',
    P: 'publish-all',
    p: 'publish',
    q: 'quiet',
    t: 'tty',
    u: 'user',
    v: 'volume',
    w: 'workdir',
  },
};

/** @throws Error whose message goes on after `cmd` */
export function parseRunCommand(text: string): RunCommand {
  const { flags, rest } = readFlags(splitWords(text), runFlags, false);
  const [image, ...others] = rest;
  if (image === undefined) throw new Error('names no image');
  return { flags, image, arguments: others };
}

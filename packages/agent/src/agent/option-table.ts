interface Option {
  /** Of the environment; arguments go before it. */
  readonly variable?: string;
  readonly isSwitch?: true;
  /** What stands for its value in the help. */
  readonly value?: string;
  readonly help: string;
}

/** Every argument of the agent. Server and key are variables only. */
const optionTable = {
  name: { value: 'NAME', help: "what the agent is called; agents with the same key need different names (this machine's)" },
  engine: {
    value: 'auto|docker|podman|buildah',
    help: 'what executes steps; buildah only builds (auto: the first of them that works)',
  },
  'engine-host': { value: 'ADDRESS', help: 'where the engine listens: unix:///run/docker.sock (DOCKER_HOST or CONTAINER_HOST)' },
  concurrency: { value: 'N', help: 'how many runs at once (half the processors)' },
  work: {
    value: 'DIR',
    help: 'files of runs; one agent per folder (/var/lib/berth-agent as root, else ~/.local/share/berth-agent)',
  },
  ca: { value: 'FILE', variable: 'BERTH_CA', help: "PEM file of an authority that signed the server's certificate" },
  memory: { value: 'SIZE', help: 'what each container may have (three quarters of the machine)' },
  processes: { value: 'N', help: 'how many each container may have (4096)' },
  disk: { value: 'SIZE', help: 'what a run may take: its files, and what its containers write (20G)' },
  output: { value: 'SIZE', help: 'what a run may print (64M)' },
  'allow-privileged': { isSwitch: true, help: 'steps may be privileged: they own this machine' },
  'allow-engine-socket': { isSwitch: true, help: "steps get the engine's socket: they own this machine" },
  'idle-exit': { value: 'SECONDS', help: 'end after so long without a run, such as 600 or 10m (never)' },
  grace: { value: 'SECONDS', help: 'how long runs may go on once the agent is told to end (30)' },
} as const satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof optionTable;

const table: Readonly<Record<OptionName, Option>> = optionTable;

export const optionNames = Object.keys(optionTable) as readonly OptionName[];

export function optionOf(name: OptionName): Option {
  return table[name];
}

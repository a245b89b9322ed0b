/**
 * Values that go to a container or a build through the environment of the engine's client, so that they stand in no list of
 * processes. Names that mean something to the client itself, or to the loader that starts it, must not go that way.
 */
const meaningful =
  /^(?:LD_|DYLD_|GO[A-Z]|GLIBC_|MALLOC_|GCONV_|DOCKER_|BUILDKIT_|BUILDX_|BUILDAH_|CONTAINER|PODMAN_|REGISTR|STORAGE_|XDG_|SSL_|TMP|TEMP|HOME$|PATH$|USER|SHELL$|LC_|LANG|LOC|NLSPATH$|RES_|RESOLV_|HOSTALIASES$|TZ|SYSTEMROOT$|PATHEXT$|COMSPEC$|WINDIR$|NOTIFY_|LISTEN_|DBUS_|KUBE|OTEL_|SSH_|GIT_|NETAVARK_|AARDVARK_|_)|_PROXY$/i;

/** Whether the engine's client may have a variable of this name without being changed by it. */
export function isHarmlessName(name: string): boolean {
  return !meaningful.test(name) && !name.includes('=') && !name.includes('\0');
}

/** Environment of a container: by flags, the client's environment and lines of a file. */
export interface PassedEnvironment {
  readonly flags: readonly string[];
  readonly client: Readonly<Record<string, string>>;
  /** What stands in the file for `--env-file`. */
  readonly fileLines: readonly string[];
}

/** @throws Error for a value with a line break whose name the client would take for its own */
export function passEnvironment(environment: ReadonlyMap<string, string>): PassedEnvironment {
  const flags: string[] = [];
  const client: Record<string, string> = {};
  const fileLines: string[] = [];
  for (const [name, value] of environment) {
    if (value.includes('\0')) throw new Error(`env has a zero byte in the value of ${name}`);
    if (isHarmlessName(name)) {
      flags.push('--env', name);
      client[name] = value;
    } else if (/[\r\n]/.test(value) || !/^\w+$/.test(name)) {
      throw new Error(
        `env has a line break in the value of ${name}, a name that the container engine knows: choose another name`,
      );
    } else fileLines.push(`${name}=${value}`);
  }
  return { flags, client, fileLines };
}

/** `--build-arg` with the values in the client's environment, but for names that the client knows. */
export function passArguments(given: ReadonlyMap<string, string>): {
  readonly flags: readonly string[];
  readonly client: Readonly<Record<string, string>>;
} {
  const flags: string[] = [];
  const client: Record<string, string> = {};
  for (const [name, value] of given) {
    if (isHarmlessName(name)) client[name] = value;
    flags.push('--build-arg', isHarmlessName(name) ? name : `${name}=${value}`);
  }
  return { flags, client };
}

/** `NAME=value` as pairs; a name alone takes its value from `fallback`, and is left out when that has none. */
export function namedValues(
  texts: readonly string[],
  fallback: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    const name = equals === -1 ? text : text.slice(0, equals);
    const value = equals === -1 ? fallback.get(name) : text.slice(equals + 1);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

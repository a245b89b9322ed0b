/** Where a registry is, and what its names mean there. */
export interface RegistryAddress {
  /** `https://registry-1.docker.io`, without a slash at the end. */
  readonly origin: string;
  /** As people call it. */
  readonly host: string;
  repositoryName(name: string): string;
}

const hostPattern = /^(?:(https?):\/\/)?((?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?)\/?$/;

/** Programs that run on this machine speak http, as engines assume. */
const loopbackPattern = /^(?:(?:[a-z0-9-]+\.)*localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d+)?$/;

/** Names of Docker Hub; its registry is elsewhere, and its official images are `library/…` there. */
const dockerHub = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']);

/** Reads `host[:port]` with an optional scheme; undefined when it is something else. Without a scheme: https, on loopback http. */
export function parseRegistryAddress(text: string): RegistryAddress | undefined {
  const match = hostPattern.exec(text.trim().toLowerCase());
  const [, scheme, host = ''] = match ?? [];
  if (match === null) return undefined;
  if (dockerHub.has(host)) {
    const repositoryName = (name: string): string => (name.includes('/') ? name : `library/${name}`);
    return { origin: 'https://registry-1.docker.io', host: 'docker.io', repositoryName };
  }
  const origin = `${scheme ?? (loopbackPattern.test(host) ? 'http' : 'https')}://${host}`;
  return URL.canParse(origin) ? { origin, host, repositoryName: (name) => name } : undefined;
}

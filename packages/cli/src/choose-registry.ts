import { CommandError } from './command-error.ts';

/** Where a registry of a deployment answers. */
export interface RegistryPlace {
  readonly origin: string;
  /** Where to connect to, when the name in the origin is only for the server to read. */
  readonly address?: string;
}

/**
 * The place of a registry, given by its login server or by its name, in the deployment that answers at `origin`. A name goes
 * before the host (docs/guides/several-registries.md). Undefined: it is a login server of another deployment.
 */
export function placeOfRegistry(origin: string, registry: string): RegistryPlace | undefined {
  const url = new URL(origin);
  const { hostname } = url;
  if (isServerName(registry)) return samePlace(url, registry);
  const name = registry.toLowerCase();
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name))
    throw new CommandError(
      `${JSON.stringify(registry)} is no name of a registry`,
      'name it as az acr list does, or by its login server',
    );
  if (name === 'local' || hostname.split('.')[0] === name) return { origin };
  // An address has no labels; the server reads the name from whatever host it is asked by.
  const isAddress = hostname.startsWith('[') || /^[\d.]+$/.test(hostname);
  const host = isAddress ? 'localhost' : hostname;
  const port = url.port === '' ? '' : `:${url.port}`;
  const place = { origin: `${url.protocol}//${name}.${host}${port}` };
  return isAddress ? { ...place, address: hostname.replaceAll(/[[\]]/g, '') } : place;
}

/** `registry.example`, `localhost:5000`: rather than the name of a registry. */
export function isServerName(text: string): boolean {
  return /[.:/]/.test(text) || text === 'localhost';
}

function samePlace(url: URL, registry: string): RegistryPlace | undefined {
  const host = hostOf(registry, url.protocol);
  if (host === url.host) return { origin: url.origin };
  return host.endsWith(`.${url.host}`) ? { origin: `${url.protocol}//${host}` } : undefined;
}

/** Host and port of a login server as clients write it, with or without a scheme. */
export function hostOf(server: string, protocol: string): string {
  const text = server.includes('://') ? server : `${protocol}//${server}`;
  if (!/^https?:/i.test(text) || !URL.canParse(text))
    throw new CommandError(`${JSON.stringify(server)} is no address of a server`, 'write it as host:port or https://host:port');
  return new URL(text).host;
}

import { request } from 'node:http';

/** Of docker's daemon, unless DOCKER_HOST names another. */
const usualSocket = '/var/run/docker.sock';
const patienceMs = 10_000;

export interface ImageToName {
  readonly id: string;
  /** With its registry, and a tag. */
  readonly name: string;
  readonly signal: AbortSignal;
}

/**
 * Gives an image a name through the socket of docker's daemon on this machine: to start its client takes ten times as long, which
 * shows in each small build. False: the daemon is elsewhere, or did not do it; its client then does it, or says why not.
 */
export async function nameImage(
  environment: Readonly<Record<string, string | undefined>>,
  { id, name, signal }: ImageToName,
): Promise<boolean> {
  const socketPath = socketOf(environment['DOCKER_HOST']);
  const colon = name.lastIndexOf(':');
  if (socketPath === undefined || colon <= name.lastIndexOf('/')) return false;
  const query = new URLSearchParams({ repo: name.slice(0, colon), tag: name.slice(colon + 1) });
  const path = `/images/${encodeURIComponent(id)}/tag?${query}`;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const outgoing = request({ socketPath, path, method: 'POST', agent: false, signal: patience }, (answer) => {
    answer.resume().on('error', () => undefined);
    resolve(answer.statusCode === 201);
  });
  outgoing.on('error', () => resolve(false));
  outgoing.end();
  return promise;
}

function socketOf(host: string | undefined): string | undefined {
  if (host === undefined || host === '') return process.platform === 'win32' ? undefined : usualSocket;
  return host.startsWith('unix://') ? host.slice('unix://'.length) : undefined;
}

import { request } from 'node:http';

/** Of docker's daemon, unless DOCKER_HOST names another. */
export const usualSocket = '/var/run/docker.sock';
const patienceMs = 60_000;

/**
 * What names of images need, through the socket of docker's daemon on this machine: to start its client takes ten times as long,
 * which shows in each small build.
 */
export class DockerSocket {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Undefined: the daemon that the environment names is elsewhere. */
  static of(environment: Readonly<Record<string, string | undefined>>): DockerSocket | undefined {
    const host = environment['DOCKER_HOST'] ?? '';
    if (host.startsWith('unix://')) return new DockerSocket(host.slice('unix://'.length));
    return host === '' && process.platform !== 'win32' ? new DockerSocket(usualSocket) : undefined;
  }

  /** @param name with its tag. False: it was not done; the client does it, or says why not */
  async tag(id: string, name: string, signal: AbortSignal): Promise<boolean> {
    const colon = name.lastIndexOf(':');
    if (colon <= name.lastIndexOf('/')) return false;
    const query = new URLSearchParams({ repo: name.slice(0, colon), tag: name.slice(colon + 1) });
    return (await this.#ask('POST', `/images/${encodeURI(id)}/tag?${query}`, signal)) === 201;
  }

  /** False: it was not done. One that is not there is no matter. */
  async remove(name: string, signal: AbortSignal): Promise<boolean> {
    const status = await this.#ask('DELETE', `/images/${encodeURI(name)}`, signal);
    return status === 200 || status === 404;
  }

  /** The status of the answer; undefined when there is none. */
  #ask(method: string, path: string, signal: AbortSignal): Promise<number | undefined> {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    const outgoing = request({ socketPath: this.path, path, method, agent: false, signal: patience }, (answer) => {
      answer
        .on('error', () => resolve(undefined))
        .on('end', () => resolve(answer.statusCode))
        .resume();
    });
    outgoing.on('error', () => resolve(undefined));
    outgoing.end();
    return promise;
  }
}

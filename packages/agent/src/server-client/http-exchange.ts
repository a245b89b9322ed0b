import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { getCACertificates } from 'node:tls';
import { ServerError } from './server-error.ts';

export interface Request {
  readonly method: string;
  /** With a leading slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string | undefined;
  /** How long the server may be silent. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

/** Sends requests to one server, over connections that are kept open. */
export class HttpExchange {
  readonly #server: URL;
  readonly #agent: HttpAgent | HttpsAgent;

  /** @param authority PEM text of an authority to trust beside the system's */
  constructor(server: URL, authority: string | undefined) {
    this.#server = server;
    // Connections that wait are closed before servers and proxies close them.
    const options = { keepAlive: true, maxSockets: 64, timeout: 20_000 };
    const ca = authority === undefined ? undefined : [...getCACertificates(), authority];
    this.#agent = server.protocol === 'https:' ? new HttpsAgent({ ...options, ...(ca && { ca }) }) : new HttpAgent(options);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** The head of the answer; its body has not been read. @throws ServerError `away`, or the signal's reason */
  async send(request: Request): Promise<IncomingMessage> {
    const first = await this.#attempt(request);
    if (first !== 'stale') return first;
    const second = await this.#attempt(request);
    if (second !== 'stale') return second;
    throw new ServerError('away', `${this.#server.origin} closes the connection`);
  }

  /** `stale`: a connection that was kept open had been closed by the other side. */
  #attempt({ method, path, headers, body, silenceMs, signal }: Request): Promise<IncomingMessage | 'stale'> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage | 'stale'>();
    const length = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const options: RequestOptions = { method, headers: { ...headers, ...length }, agent: this.#agent, signal };
    const start = this.#server.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = start(new URL(path, this.#server), options, resolve);
    outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error(`nothing came for ${silenceMs / 1000} seconds`)));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) resolve('stale');
      else reject(new ServerError('away', `${this.#server.origin} does not answer: ${reasonOf(error)}`, { cause: error }));
    });
    outgoing.end(body);
    return promise;
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  // OpenSSL's own words are a line of file names.
  if (code === 'EPROTO') return 'it does not speak TLS';
  if (/CERT|SIGNATURE|ISSUER/.test(code ?? '')) return `${message} (an authority of your own is named by --ca)`;
  // Of several addresses that a name has, each failed for a reason of its own.
  return message === '' ? (code ?? 'no connection') : message;
}

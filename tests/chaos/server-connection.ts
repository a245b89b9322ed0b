/** A server that was killed while it worked on a request: what became of the request is unknown. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

export interface ServerAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Requests against whichever server process is alive at present. */
export class ServerConnection {
  readonly #url: string;
  readonly #authorization: string;

  constructor(server: { readonly url: string; readonly username: string; readonly password: string }) {
    this.#url = server.url;
    this.#authorization = `Basic ${Buffer.from(`${server.username}:${server.password}`).toString('base64')}`;
  }

  async request(
    method: string,
    path: string,
    options: { readonly headers?: Record<string, string>; readonly body?: Uint8Array<ArrayBuffer> } = {},
  ): Promise<ServerAnswer> {
    try {
      const answer = await fetch(new URL(path, this.#url), {
        method,
        headers: { ...options.headers, authorization: this.#authorization },
        ...(options.body && { body: options.body }),
      });
      return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
    } catch (error) {
      throw new ConnectionLost(`${method} ${path}`, { cause: error });
    }
  }
}

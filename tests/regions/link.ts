import { type Server, type Socket, connect, createServer } from 'node:net';
import { once } from 'node:events';
import type { Chance } from '../chaos/content.ts';

/** How a link is. `cut`: connections break and none is made. `silent`: bytes go in and nothing comes out. `slow`: each piece waits. */
export type LinkState = 'open' | 'cut' | 'silent' | 'slow';

const longestDelayMs = 80;

/** One direction from one region to another: a port of this process that hands on to the other's. */
export class Link implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #chance: Chance;
  #state: LinkState = 'open';
  #target: { readonly port: number; readonly host: string } | undefined;

  static async open(chance: Chance): Promise<Link> {
    const server = createServer();
    const link = new Link(server, chance);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  constructor(server: Server, chance: Chance) {
    this.#server = server;
    this.#chance = chance;
    server.on('connection', (socket) => this.#accept(socket));
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the link does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Where it leads from now on. */
  lead(target: { readonly port: number; readonly host: string }): void {
    this.#target = target;
  }

  set(state: LinkState): void {
    // What was swallowed does not come any more: such a connection cannot go on.
    const isBroken = state === 'cut' || (this.#state === 'silent' && state !== 'silent');
    this.#state = state;
    if (isBroken) for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.set('cut');
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(near: Socket): void {
    const target = this.#target;
    if (this.#state === 'cut' || target === undefined) {
      near.destroy();
      return;
    }
    const far = connect(target);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.on('end', () => to.end());
      from.on('data', (bytes: Buffer) => this.#pass(bytes, from, to));
    }
  }

  /** In order within a connection, as TCP has it; pieces of several connections overtake one another. */
  #pass(bytes: Buffer, from: Socket, to: Socket): void {
    if (this.#state === 'silent') return;
    const write = (): void => {
      if (!to.destroyed && !to.write(bytes)) to.once('drain', () => from.resume());
      else from.resume();
    };
    from.pause();
    if (this.#state === 'slow') setTimeout(write, this.#chance.integer(1, longestDelayMs));
    else write();
  }
}

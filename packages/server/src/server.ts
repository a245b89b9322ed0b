import { assemble } from './assemble.ts';
import type { InProcessAnswer, InProcessRequest } from './http/index.ts';
import { asRefusal } from './refusals.ts';
import type { Settings } from './settings/index.ts';
import type { AssembledServer, ServerFacts } from './start-service.ts';

export type ServerState = 'new' | 'starting' | 'running' | 'stopping' | 'stopped';

/** A registry server: `new` → `starting` → `running` → `stopping` → `stopped`; it runs once. */
export interface Server {
  readonly state: ServerState;
  /** Opens everything and listens. What was opened is closed again when a step fails. @throws Refusal */
  start(): Promise<ServerFacts>;
  /** Stops accepting, lets requests in work end within the grace time, closes everything. Any number of times, at any time. */
  stop(): Promise<void>;
  /** Answers a request without a socket, while running. */
  request(request: InProcessRequest): Promise<InProcessAnswer>;
  /** Looks at the certificate's files again. */
  reloadCertificate(): Promise<void>;
}

/** Makes a server of these settings that does nothing yet. */
export function createServer(settings: Settings): Server {
  return new StatefulServer(settings);
}

class StatefulServer implements Server {
  readonly #settings: Settings;
  readonly #opened = new AsyncDisposableStack();
  #state: ServerState = 'new';
  #starting: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #parts: AssembledServer | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get state(): ServerState {
    return this.#state;
  }

  async start(): Promise<ServerFacts> {
    if (this.#state !== 'new') throw new Error(`a server that is ${this.#state} cannot be started`);
    this.#state = 'starting';
    const assembling = assemble(this.#settings, this.#opened);
    this.#starting = assembling.catch(() => undefined);
    try {
      this.#parts = await assembling;
    } catch (error) {
      await this.stop();
      throw asRefusal(error, this.#settings);
    }
    if (this.#stopping === undefined) this.#state = 'running';
    return this.#parts.facts;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  request(request: InProcessRequest): Promise<InProcessAnswer> {
    return this.#running().http.request(request);
  }

  reloadCertificate(): Promise<void> {
    return this.#running().reloadCertificate();
  }

  async #stop(): Promise<void> {
    // A start in the middle ends first: only then is it known what has to be closed.
    await this.#starting;
    this.#state = 'stopping';
    try {
      await this.#opened.disposeAsync();
    } finally {
      this.#state = 'stopped';
    }
  }

  #running(): AssembledServer {
    if (this.#parts === undefined || this.#state !== 'running') throw new Error(`the server is ${this.#state}`);
    return this.#parts;
  }
}

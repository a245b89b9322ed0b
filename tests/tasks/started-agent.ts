import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** An agent in a process of its own. */
export class StartedAgent {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #said: () => string;

  constructor(child: ChildProcess, name: string) {
    this.name = name;
    this.#child = child;
    const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
    this.#said = () => stdout() + stderr();
  }

  get said(): string {
    return this.#said();
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.hasEnded) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exit;
  }
}

/** What a stream gave so far, as a text; bounded. */
export function textOf(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    text = (text + chunk).slice(-1_000_000);
  });
  return () => text;
}
